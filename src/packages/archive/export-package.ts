import { randomUUID } from 'node:crypto'
import { rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { isLllmError, LllmError } from '../../domain/errors.ts'
import { judgeFiles } from '../judge-files.ts'
import type { PackageNode } from '../package-tree.ts'
import { reasonOf } from './archive-fault.ts'
import { gatherItems, listDependencies } from './gather-items.ts'
import { judgePackage } from './judge-package.ts'
import { packageRefused } from './package-refused.ts'
import { withArchive } from './read-archive.ts'
import { writeArchive } from './write-archive.ts'

export interface ExportOptions {
  /** Whether the packages that it depends on come along. Default: they have to be installed where it is installed. */
  readonly bundleDeps?: boolean
  /** Ends the export, which then leaves nothing behind. */
  readonly signal?: AbortSignal
}

export interface ExportReport {
  readonly file: string
  readonly files: number
  readonly bytes: number
  readonly bundled: readonly string[]
  /** Names of packages that have to be installed where it is installed. */
  readonly needs: readonly string[]
  /** What lies in sections and stays behind, and why. */
  readonly leftOut: readonly string[]
}

/**
 * Writes a package to a zip file that `installPackage` takes. It is written beside its place, read again as if it were
 * anybody's, and only then put there: a failed export changes nothing. The same package gives the same bytes.
 *
 * Dependencies that are written as paths become names, or with `bundleDeps` paths to where they are in the archive, each
 * once. Nothing of the package is run.
 *
 * @throws LllmError `package-refused` or `invalid-manifest` for what the package would lack elsewhere, or when it cannot be
 *   written. The reason of the signal.
 */
export async function exportPackage(
  node: PackageNode,
  outFile: string,
  { bundleDeps = false, signal }: ExportOptions = {},
): Promise<ExportReport> {
  const bundled = bundleDeps ? listDependencies(node) : []
  const { items, leftOut } = await gatherItems([node, ...bundled], { outFile, bundleDeps })
  const staged = join(dirname(resolve(outFile)), `.${basename(outFile)}.${randomUUID()}.tmp`)
  try {
    // What would stop a start, an install refuses.
    for (const { manifest } of [node, ...bundled]) await judgeFiles(manifest)
    await writeArchive(staged, items, signal)
    const { needs } = await withArchive(staged, judgePackage)
    const { size: bytes } = await stat(staged)
    signal?.throwIfAborted()
    await rename(staged, outFile)
    return { file: outFile, files: items.length, bytes, bundled: bundled.map(nameOf).sort(), needs, leftOut }
  } catch (error) {
    await rm(staged, { force: true })
    signal?.throwIfAborted()
    if (isLllmError(error)) throw new LllmError('package-refused', error.message.replaceAll(staged, outFile))
    throw packageRefused(`${outFile}: The archive could not be written: ${reasonOf(error)}.`, error)
  }
}

function nameOf({ manifest }: PackageNode): string {
  return manifest.name
}
