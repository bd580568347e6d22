import { dirname, join } from 'node:path'
import { LllmError } from '../../domain/errors.ts'
import { findManifest, manifestName } from '../../packages/find-manifest.ts'
import { dropInsFolder } from '../../packages/package-tree.ts'
import { readSettings } from '../../settings.ts'
import { userPackagesFolder } from '../../user-packages.ts'
import { type ExitCode, exitCodeAfter } from '../exit-code.ts'
import type { Shell } from '../shell.ts'
import { write, writeWarnings } from '../write.ts'
import type { Scope } from './pkg-command.ts'

/** Where packages are, for whoever works in a folder. */
export interface Scopes {
  /** The manifest of the project, if there is one. */
  readonly manifestPath?: string
  readonly user: string
  /** The folder of a scope. @throws LllmError `invalid-manifest` for the project's where there is no project. */
  folderOf(scope: Scope): string
  /** Those that are there at all. */
  readonly all: readonly { readonly scope: Scope; readonly folder: string }[]
}

export async function findScopes({ env, folder }: Shell): Promise<Scopes> {
  const settings = readSettings(env)
  const manifestPath = await findManifest(folder, settings.manifestFile)
  const user = userPackagesFolder(settings)
  const project = manifestPath === undefined ? undefined : join(dirname(manifestPath), dropInsFolder)
  return {
    ...(manifestPath === undefined ? {} : { manifestPath }),
    user,
    folderOf(scope) {
      if (scope === 'user') return user
      if (project !== undefined) return project
      const message = `There is no ${manifestName} in ${folder} or above it, so there is no project: take --scope user, or begin one with lllm create.`
      throw new LllmError('invalid-manifest', message, { file: folder })
    },
    all: [
      ...(project === undefined ? [] : [{ scope: 'project' as const, folder: project }]),
      { scope: 'user', folder: user },
    ],
  }
}

/** Runs what Ctrl-C and SIGTERM may end in good order. */
export async function interruptible(
  { onInterrupt, stderr }: Shell,
  work: (signal: AbortSignal) => Promise<ExitCode>,
): Promise<ExitCode> {
  const interrupt = new AbortController()
  const forget = onInterrupt((signal) => interrupt.abort(signal))
  try {
    return await work(interrupt.signal)
  } catch (error) {
    if (!interrupt.signal.aborted) throw error
    await write(stderr, 'lllm: Interrupted: nothing was changed.\n')
    return exitCodeAfter(interrupt.signal.reason)
  } finally {
    forget()
  }
}

/** Lines of warnings that are told in one go. */
const warningsMax = 20

export async function warn({ stderr }: Shell, warnings: readonly string[]): Promise<void> {
  const more = warnings.length - warningsMax
  const told = [...warnings.slice(0, warningsMax), ...(more > 0 ? [`and ${more} more`] : [])]
  await writeWarnings(stderr, told)
}
