import { dirname, join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isLllmError } from '../../domain/errors.ts'
import { findManifest } from '../../packages/find-manifest.ts'
import { resolvePackages } from '../../packages/package-tree.ts'
import { readSettings, type Settings } from '../../settings.ts'
import { userPackagesFolder } from '../../user-packages.ts'
import { harmless } from '../display-text.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import { withInterrupts } from '../interrupts.ts'
import type { Shell } from '../shell.ts'
import { write } from '../write.ts'
import { type FolderWatch, type WatchedPackage, watchFolders } from './serve-folders.ts'
import { type ServiceProcess, startServiceProcess } from './serve-process.ts'

/** Whoever saves several files at once is given the time to. */
const settleMs = 100

/** What ends with the command, however that ends. */
interface UnderWay {
  service?: ServiceProcess
}

/**
 * Serves in a process of its own, which is started anew whenever a file of the packages changes. One that does not start
 * says why, and the next change is waited for. Ctrl-C ends both.
 */
export async function serveAndWatch(shell: Shell): Promise<ExitCode> {
  const settings = readSettings(shell.env)
  const ending = Promise.withResolvers<undefined>()
  const underWay: UnderWay = {}
  try {
    return await withInterrupts(shell, [() => ending.resolve(undefined)], async () => {
      while ((await serveUntilChange(shell, settings, ending.promise, underWay)) !== undefined);
      return exitCodes.done
    })
  } finally {
    underWay.service?.kill()
  }
}

/** Gives the path of what has changed; undefined: the end was asked for. */
async function serveUntilChange(
  shell: Shell,
  settings: Settings,
  ending: Promise<undefined>,
  underWay: UnderWay,
): Promise<string | undefined> {
  // Before the start: what changes from here on is either read by it, or noticed.
  const watch = await watchPackages(shell, settings)
  const service = startServiceProcess(shell)
  underWay.service = service
  let isStopping = false
  const told = service.ended.then(async () => {
    if (!isStopping)
      await write(shell.stderr, 'lllm: The service has ended. It is started anew with the next change.\n')
  })
  const changed = await Promise.race([watch.changed, ending])
  isStopping = true
  if (changed !== undefined) {
    await Promise.race([sleep(settleMs), ending])
    const path = harmless(relative(shell.folder, changed))
    await write(shell.stderr, `lllm: ${path} has changed: starting anew.\n`)
  }
  await service.stop()
  await told
  watch.close()
  return changed
}

async function watchPackages(shell: Shell, settings: Settings): Promise<FolderWatch> {
  const watch = await watchFolders(await findPackages(shell, settings))
  for (const warning of watch.warnings) await write(shell.stderr, `lllm: ${warning}\n`)
  return watch
}

/** Where a manifest has a mistake, its folder at least and that of the root are watched, so that putting it right is noticed. */
async function findPackages({ folder }: Shell, settings: Settings): Promise<readonly WatchedPackage[]> {
  const { manifestFile } = settings
  const manifestPath = manifestFile === undefined ? {} : { manifestPath: manifestFile }
  try {
    const { nodes } = await resolvePackages({ folder, ...manifestPath, userFolder: userPackagesFolder(settings) })
    return nodes.map(({ manifest }) => ({
      folder: manifest.folder,
      assets: [...manifest.sections.values()].flatMap(({ paths }) =>
        paths.map(({ path }) => join(manifest.folder, path)),
      ),
    }))
  } catch (error) {
    if (!isLllmError(error)) throw error
    const manifest = await findManifest(folder, manifestFile).catch(() => undefined)
    const folders = [manifest, error.data.file].flatMap((file) => (file === undefined ? [] : [dirname(file)]))
    return [...folders, ...(manifest === undefined ? [folder] : [])].map((path) => ({ folder: path, assets: [] }))
  }
}
