import { execFileSync, spawnSync } from 'node:child_process'

/** A command as it is started by `spawn`. */
export interface Command {
  readonly file: string
  readonly args: readonly string[]
}

export interface Confinement {
  /** For people. */
  readonly told: string
  wrap(command: Command): Command
}

export interface ConfinedUser {
  readonly uid: number
  readonly gid: number
}

/** Ends with 9 unless the whole file system can only be read, but for the folder of the data. */
const shut = `
set -e
mount --bind "$1" "$1"
mount --bind "$1/data" "$1/data"
mount -o remount,bind,ro "$1"
mount -o remount,bind,ro /
for path in / /tmp "$1"; do touch "$path/lllm-probe" 2>/dev/null && exit 9; done
touch "$1/data/lllm-probe" && rm "$1/data/lllm-probe"
cd "$1"
shift
exec "$@"`

/**
 * What an engine makes of `read_only`, `user`, `cap_drop: [ALL]` and `no-new-privileges`, made with the mounts of this machine: everything can
 * be read and nothing be written but `data`; there is no `/tmp` either. Where this process may not mount, or is not root, only the rights
 * of the files stand in the way of the user.
 */
export function confine(folder: string, { uid, gid }: ConfinedUser): Confinement {
  execFileSync('chmod', ['-R', 'a-w,a+rX', folder])
  const isRoot = process.getuid?.() === 0
  if (isRoot) execFileSync('chown', ['-R', '0:0', folder])
  if (isRoot) execFileSync('chown', [`${uid}:${gid}`, `${folder}/data`])
  execFileSync('chmod', ['u+w', `${folder}/data`])
  if (!isRoot) return { told: 'files that cannot be written, as the user of this script', wrap: (command) => command }

  const drop = (command: Command): Command => ({
    file: 'setpriv',
    args: [
      ...[`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'],
      ...['--inh-caps=-all', '--bounding-set=-all', '--no-new-privs'],
      ...[command.file, ...command.args],
    ],
  })
  const mountAnd = ({ file, args }: Command): Command => ({
    file: 'unshare',
    args: ['--mount', 'sh', '-c', shut, 'sh', folder, file, ...args],
  })
  const { file, args } = mountAnd({ file: 'true', args: [] })
  if (spawnSync(file, args).status !== 0) {
    return { told: `files of root, as user ${uid} without capabilities; this machine lets nobody mount`, wrap: drop }
  }
  return {
    told: `a root file system that is mounted read-only, as user ${uid} without capabilities`,
    wrap: (command) => mountAnd(drop(command)),
  }
}
