import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { folderDepthMax, listFiles } from '../../src/packages/list-files.ts'
import { standardSection, toSection } from '../../src/packages/section.ts'
import { packageFolder } from './package-folder.ts'

const list = async (folder: string, ...paths: readonly string[]) => {
  const { files, warnings } = await listFiles(
    folder,
    toSection({ paths: paths.map((path) => ({ path, prefix: '' })) }),
    (name) => name.endsWith('.yaml'),
  )
  return { names: files.map(({ name }) => name), warnings }
}

describe('the files of a section', () => {
  test('are named by their path below its folder, in order', async () => {
    const folder = await packageFolder({ 'c/b.yaml': '', 'c/a/pro.v2.yaml': '', 'c/B.yaml': '', 'c/x.txt': '' })
    expect((await list(folder, 'c/')).names).toEqual(['B', 'a/pro.v2', 'b'])
  })

  test('may be named one by one, and are listed once where paths overlap', async () => {
    const folder = await packageFolder({ 'c/a.yaml': '', 'c/d/b.yaml': '' })
    expect((await list(folder, 'c/d/b.yaml', 'c')).names).toEqual(['a', 'b'])
  })

  test('are not the hidden ones', async () => {
    const folder = await packageFolder({ 'c/.a.yaml': '', 'c/.git/b.yaml': '', 'c/node_modules/c.yaml': '' })
    expect((await list(folder, 'c')).names).toEqual([])
  })

  test('have to exist where the manifest names them', async () => {
    const folder = await packageFolder({})
    await expect(list(folder, 'c')).rejects.toMatchObject({ code: 'invalid-manifest' })
    const standard = standardSection('c')
    expect(await listFiles(folder, standard, () => true)).toEqual({ files: [], warnings: [] })
  })

  test('nest up to a limit', async () => {
    const folder = await packageFolder({})
    const deep = (depth: number) => join(folder, 'c', ...Array.from({ length: depth }, () => 'd'))
    await mkdir(deep(folderDepthMax), { recursive: true })
    await expect(list(folder, 'c')).resolves.toBeDefined()
    await mkdir(deep(folderDepthMax + 1))
    await expect(list(folder, 'c')).rejects.toThrow('nest deeper than 16 levels')
  })
})

describe('links', () => {
  test('inside the package are followed', async () => {
    const folder = await packageFolder({ 'c/a.yaml': '', 'shared/b.yaml': '' })
    await symlink(join(folder, 'shared'), join(folder, 'c/shared'))
    await symlink('a.yaml', join(folder, 'c/alias.yaml'))
    expect((await list(folder, 'c')).names).toEqual(['a', 'alias', 'shared/b'])
  })

  test('out of the package are passed over with a warning', async () => {
    const outside = await packageFolder({ 'secret.yaml': '' })
    const folder = await packageFolder({ 'c/a.yaml': '' })
    await symlink(outside, join(folder, 'c/out'))
    await symlink(join(outside, 'secret.yaml'), join(folder, 'c/secret.yaml'))
    await symlink(outside, join(folder, 'd'))
    const { names, warnings } = await list(folder, 'c', 'd')
    expect(names).toEqual(['a'])
    expect(warnings.toSorted()).toEqual(
      ['c/out', 'c/secret.yaml', 'd'].map(
        (path) => `${join(folder, path)} is a link that leaves the package: it is not followed.`,
      ),
    )
  })

  test('that lead to nothing or in a circle do no harm', async () => {
    const folder = await packageFolder({ 'c/a.yaml': '' })
    await symlink('nowhere', join(folder, 'c/b.yaml'))
    await symlink('self', join(folder, 'c/self'))
    expect((await list(folder, 'c')).names).toEqual(['a'])
    await symlink(join(folder, 'c'), join(folder, 'c/loop'))
    await expect(list(folder, 'c')).rejects.toThrow('nest deeper than 16 levels')
  })
})
