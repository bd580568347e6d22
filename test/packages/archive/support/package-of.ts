import { join } from 'node:path'
import { type PackageNode, resolvePackages } from '../../../../src/packages/package-tree.ts'
import { packageFolder } from '../../package-folder.ts'

/** Writes a project into a new folder and gives its packages, with a place for an archive. */
export async function projectOf(files: Readonly<Record<string, string | Uint8Array>>) {
  const folder = await packageFolder(files)
  const outFolder = await packageFolder({})
  const { root, nodes } = await resolvePackages({ folder })
  const nodeOf = (name: string): PackageNode => {
    const found = nodes.find(({ manifest }) => manifest.name === name)
    if (found === undefined) throw new Error(`There is no package ${name}.`)
    return found
  }
  return { folder, root, nodeOf, outFolder, out: join(outFolder, 'out.zip') }
}
