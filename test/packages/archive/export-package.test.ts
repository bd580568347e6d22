import { mkdir, readdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { exportPackage } from '../../../src/packages/archive/export-package.ts'
import { installPackage } from '../../../src/packages/archive/install-package.ts'
import { resolvePackages } from '../../../src/packages/package-tree.ts'
import { manifest, packageFolder, tactic } from '../package-folder.ts'
import { projectOf } from './support/package-of.ts'
import { createScope, filesIn, writeFiles } from './support/scope.ts'

/** What a package is after it was exported and installed elsewhere. */
async function passOn(project: Awaited<ReturnType<typeof projectOf>>, options = {}) {
  const report = await exportPackage(project.root, project.out, options)
  const { scopeFolder } = await createScope()
  const installed = await installPackage(project.out, { scopeFolder })
  return { report, installed, files: await filesIn(installed.folder) }
}

describe('an export has', () => {
  test('the manifest, the files of sections and what tells about the package, and nothing else of its folder', async () => {
    const project = await projectOf({
      'lllm.toml': manifest('demo', '[assets]\npaths = ["assets/", "one.csv"]\n'),
      'README.md': 'Read me.',
      LICENSE: 'MIT',
      'package.json': '{}',
      'tactics/a.ts': tactic('a'),
      'tactics/deep/_shared.ts': '',
      'prompts/p.md': 'p',
      'configs/c.yaml': 'description: c',
      'assets/picture.bin': new Uint8Array([0, 255, 1]),
      'one.csv': '1',
      'two.csv': 'not in a section',
      'src/server.ts': '',
      '.env': 'KEY=secret',
      'data/lllm.db': 'sessions',
      'node_modules/x/index.js': '',
      'assets/.hidden': 'secret',
      'assets/.env.local': 'secret',
      'assets/cache.db': 'rows',
      'assets/cache.db-wal': 'rows',
      'tactics/node_modules/y.js': '',
      'lllm_packages/other/lllm.toml': manifest('other'),
    })
    const { report, files } = await passOn(project)
    expect(Object.keys(files).sort()).toEqual([
      'LICENSE',
      'README.md',
      'assets/picture.bin',
      'configs/c.yaml',
      'lllm.toml',
      'one.csv',
      'package.json',
      'prompts/p.md',
      'tactics/a.ts',
      'tactics/deep/_shared.ts',
    ])
    expect(report).toMatchObject({ files: 10, bundled: [], needs: [] })
    expect(report.leftOut).toEqual([
      'assets/.env.local: hidden files are never exported',
      'assets/.hidden: hidden files are never exported',
      'assets/cache.db-wal: databases are never exported',
      'assets/cache.db: databases are never exported',
      'tactics/node_modules: node_modules are never exported',
    ])
  })

  test('the files that its code imports by a relative path, and what those import', async () => {
    const project = await projectOf({
      'lllm.toml': manifest(),
      'tactics/a.ts': `import { one } from '../shared/one.ts'\nimport type { Kind } from '../shared/kind.ts'\n`,
      'tactics/b.ts': `const two = await import("../shared/two.ts")\nnew URL('../tables/', import.meta.url)`,
      'shared/one.ts': `export * from './three.ts'\nimport gone from './gone.ts'`,
      'shared/two.ts': '',
      'shared/three.ts': `import './one.ts'`,
      'shared/kind.ts': '',
      'shared/unused.ts': '',
      'tables/prices.csv': '',
    })
    const { files } = await passOn(project)
    expect(
      Object.keys(files)
        .filter((path) => !path.startsWith('tactics/'))
        .sort(),
    ).toEqual(['lllm.toml', 'shared/kind.ts', 'shared/one.ts', 'shared/three.ts', 'shared/two.ts', 'tables/prices.csv'])
  })

  test('the content of a link that stays in the package, and no other link', async () => {
    const project = await projectOf({
      'lllm.toml': manifest(),
      'prompts/a.md': 'a',
      'prompts/folder/b.md': 'b',
      '.env': 'KEY=secret',
    })
    const outside = await packageFolder({ 'secret.md': 'secret' })
    const links = {
      'same.md': 'a.md',
      'round.md': '../../..',
      'out.md': join(outside, 'secret.md'),
      'env.md': '../.env',
    }
    for (const [name, target] of Object.entries(links)) await symlink(target, join(project.folder, 'prompts', name))
    await symlink(outside, join(project.folder, 'prompts/outside'))
    await symlink('nowhere', join(project.folder, 'prompts/dangling.md'))
    const { report, files } = await passOn(project)
    expect(files).toEqual({
      'lllm.toml': manifest(),
      'prompts/a.md': 'a',
      'prompts/folder/b.md': 'b',
      'prompts/same.md': 'a',
    })
    const left = 'a link that leaves the package is never followed'
    expect(report.leftOut).toEqual([
      'prompts/env.md: hidden files are never exported',
      `prompts/out.md: ${left}`,
      `prompts/outside: ${left}`,
      `prompts/round.md: ${left}`,
    ])
  })

  test('the same bytes whenever it is made, and whatever the clock, the zone and the modes of the files are', async () => {
    const files = { 'lllm.toml': manifest(), 'prompts/b.md': 'b'.repeat(1000), 'prompts/a.md': 'a', 'README.md': 'x' }
    const first = await projectOf(files)
    const second = await projectOf(Object.fromEntries(Object.entries(files).reverse()))
    await utimes(join(second.folder, 'README.md'), 1, 1)
    await exportPackage(first.root, first.out)
    const zone = process.env['TZ']
    process.env['TZ'] = 'Pacific/Auckland'
    try {
      await exportPackage(second.root, second.out)
    } finally {
      if (zone === undefined) delete process.env['TZ']
      else process.env['TZ'] = zone
    }
    expect(await readFile(second.out)).toEqual(await readFile(first.out))
  })
})

describe('dependencies of an export', () => {
  const diamond = {
    'lllm.toml': `# Ours.\n${manifest('top', '\n[dependencies]\npackages = [\n  "./libs/left as l", # the left one\n  "./libs/right",\n]\n')}`,
    'prompts/top.md': 'top',
    'libs/left/lllm.toml': manifest('left', '[dependencies]\npackages = ["../../shared/base as b"]\n'),
    'libs/left/prompts/left.md': 'left',
    'libs/right/lllm.toml': manifest('right', "[dependencies]\npackages = ['../../shared/base']\n"),
    'shared/base/lllm.toml': manifest('base'),
    'shared/base/prompts/base.md': 'base',
  }

  test('become names, with their aliases, and all else of the manifest stays as it was written', async () => {
    const { report, files } = await passOn(await projectOf(diamond))
    expect(files).toEqual({
      'lllm.toml': diamond['lllm.toml'].replace('./libs/left as l', 'left as l').replace('./libs/right', 'right'),
      'prompts/top.md': 'top',
    })
    expect(report).toMatchObject({ bundled: [], needs: ['left', 'right'] })
  })

  test('come along, each once, with --bundle-deps, and everything finds its own', async () => {
    const { report, installed, files } = await passOn(await projectOf(diamond), { bundleDeps: true })
    expect(report).toMatchObject({ bundled: ['base', 'left', 'right'], needs: [] })
    expect(installed.bundled).toEqual(['base', 'left', 'right'])
    expect(Object.keys(files).sort()).toEqual([
      'lllm.toml',
      'lllm_packages/base/lllm.toml',
      'lllm_packages/base/prompts/base.md',
      'lllm_packages/left/lllm.toml',
      'lllm_packages/left/prompts/left.md',
      'lllm_packages/right/lllm.toml',
      'prompts/top.md',
    ])
    const { root, nodes } = await resolvePackages({ folder: installed.folder })
    const names = (node: typeof root) =>
      node.dependencies.map(({ name, node: { manifest: found } }) => [name, found.name])
    expect(names(root)).toEqual([
      ['l', 'left'],
      ['right', 'right'],
    ])
    expect(nodes.map((node) => [node.manifest.name, names(node)])).toEqual([
      ['top', names(root)],
      ['left', [['b', 'base']]],
      ['base', []],
      ['right', [['base', 'base']]],
    ])
  })

  test('that are installed come along, too, or are named by what they are called everywhere', async () => {
    const project = await projectOf({
      'lllm.toml': manifest('top', '[dependencies]\npackages = ["fin as f"]\n'),
      'lllm_packages/fin/lllm.toml': manifest('finance'),
    })
    const plain = await passOn(project)
    expect(plain.files['lllm.toml']).toContain('packages = ["finance as f"]')
    const bundled = await passOn(project, { bundleDeps: true })
    expect(bundled.files['lllm.toml']).toContain('packages = ["./lllm_packages/finance as f"]')
  })

  test('that are called by their folder here keep that name as an alias', async () => {
    const project = await projectOf({
      'lllm.toml': manifest('top', '[dependencies]\npackages = ["fin"]\n'),
      'lllm_packages/fin/lllm.toml': manifest('finance'),
    })
    expect((await passOn(project)).files['lllm.toml']).toContain('packages = ["finance as fin"]')
    const bundled = await passOn(project, { bundleDeps: true })
    expect(bundled.files['lllm.toml']).toContain('packages = ["./lllm_packages/finance as fin"]')
  })

  test('are found however they are written', async () => {
    const project = await projectOf({
      'lllm.toml': 'package = { name = "top", version = "1.0.0" }\ndependencies.packages = [\'./b\']\n',
      'b/lllm.toml': manifest('b'),
    })
    const { installed } = await passOn(project, { bundleDeps: true })
    expect((await resolvePackages({ folder: installed.folder })).nodes.map((node) => node.manifest.name)).toEqual([
      'top',
      'b',
    ])
  })
})

describe('code that imports a file of a dependency', () => {
  const project = {
    'lllm.toml': manifest('top', '[dependencies]\npackages = ["./libs/a"]\n'),
    'tactics/t.ts': `import A from '../libs/a/tactics/a.ts?x' // ../libs/a/tactics/a.ts\nexport const own = './own.ts'\n`,
    'libs/a/lllm.toml': manifest('a', '[dependencies]\npackages = ["../../../beside/b"]\n'),
    'libs/a/tactics/a.ts': `import type { B } from '../../../../beside/b/tactics/b.ts'\nimport './_own.ts'\n`,
    'libs/a/tactics/_own.ts': '',
  }
  const nested = Object.fromEntries(Object.entries(project).map(([path, text]) => [`project/${path}`, text]))
  const all = {
    ...nested,
    'beside/b/lllm.toml': manifest('b'),
    'beside/b/tactics/b.ts': 'export class B {}\n',
  }
  async function nodes() {
    const folder = await packageFolder(all)
    const { root } = await resolvePackages({ folder: join(folder, 'project') })
    return { root, out: join(await packageFolder({}), 'out.zip') }
  }

  test('imports it from where it is in the archive, and everything else in the file stays', async () => {
    const { root, out } = await nodes()
    const report = await exportPackage(root, out, { bundleDeps: true })
    const { scopeFolder } = await createScope()
    const files = await filesIn((await installPackage(out, { scopeFolder })).folder)
    expect(report.bundled).toEqual(['a', 'b'])
    expect(Object.keys(files)).toEqual([
      'lllm.toml',
      'lllm_packages/a/lllm.toml',
      'lllm_packages/a/tactics/_own.ts',
      'lllm_packages/a/tactics/a.ts',
      'lllm_packages/b/lllm.toml',
      'lllm_packages/b/tactics/b.ts',
      'tactics/t.ts',
    ])
    expect(files['tactics/t.ts']).toBe(
      `import A from '../lllm_packages/a/tactics/a.ts?x' // ../libs/a/tactics/a.ts\nexport const own = './own.ts'\n`,
    )
    expect(files['lllm_packages/a/tactics/a.ts']).toBe(
      `import type { B } from '../../b/tactics/b.ts'\nimport './_own.ts'\n`,
    )
    expect(files['lllm_packages/a/lllm.toml']).toContain('packages = ["../b"]')
  })

  test('is refused without --bundle-deps, unless it is only about types', async () => {
    const { root, out } = await nodes()
    await expect(exportPackage(root, out)).rejects.toThrow(
      'imports ../libs/a/tactics/a.ts, a file of the package "a", whose place elsewhere nobody knows: export it with --bundle-deps.',
    )
    const [a] = root.dependencies
    if (a === undefined) throw new Error('There is no dependency.')
    expect(await exportPackage(a.node, out)).toMatchObject({ files: 3, needs: ['b'] })
  })

  test('is refused when the file is no part of the dependency', async () => {
    const files = {
      'lllm.toml': manifest('top', '[dependencies]\npackages = ["./a"]\n'),
      'tactics/t.ts': `import '../a/scripts/x.ts'`,
      'a/lllm.toml': manifest('a'),
      'a/scripts/x.ts': '',
    }
    const { root, out } = await projectOf(files)
    await expect(exportPackage(root, out, { bundleDeps: true })).rejects.toThrow(
      'imports ../a/scripts/x.ts, which is in no section of its package.',
    )
  })
})

describe('an export is refused, and changes nothing,', () => {
  async function expectRefusal(files: Readonly<Record<string, string>>, told: string) {
    const project = await projectOf(files)
    await writeFile(project.out, 'the old one')
    await expect(exportPackage(project.root, project.out)).rejects.toThrow(told)
    expect(await filesIn(project.outFolder)).toEqual({ 'out.zip': 'the old one' })
  }

  test.each([
    ['hidden files', '.prompts', 'hidden files are never exported'],
    ['sessions', 'data/tables', 'the folder data/ is never exported'],
    ['packages of others', 'lllm_packages/b', 'the folder lllm_packages/ is never exported'],
    ['a database', 'assets/a.db', 'databases are never exported'],
  ])('when the manifest names %s', async (_, path, told) => {
    const files = { 'lllm.toml': manifest('demo', `[assets]\npaths = ["${path}"]\n`), [`${path}/x`]: '' }
    await expectRefusal(files, `The manifest of "demo" names ${path}, but ${told}: move these files.`)
  })

  test('when the manifest names what is not there', async () => {
    await expectRefusal({ 'lllm.toml': manifest('demo', '[assets]\npaths = ["assets/"]\n') }, 'but there is nothing')
  })

  test('when code imports what is outside of the package, or never exported', async () => {
    const files = { 'lllm.toml': manifest(), 'data/x.json': '{}', 'tactics/a.ts': `import x from '../data/x.json'` }
    await expectRefusal(files, 'tactics/a.ts imports ../data/x.json, but the folder data/ is never exported.')
    const parts = { 'lllm.toml': manifest('top', '[dependencies]\npackages = ["./b"]\n'), 'shared.ts': '' }
    const project = await projectOf({
      ...parts,
      'b/lllm.toml': manifest('b'),
      'b/tactics/b.ts': `import type { Kind } from '../../shared.ts'`,
    })
    const { needs } = await exportPackage(project.nodeOf('b'), project.out)
    expect(needs).toEqual([])
    await writeFiles(project.folder, { 'b/tactics/b.ts': `import { x } from '../../shared.ts'` })
    await expect(exportPackage(project.nodeOf('b'), project.out)).rejects.toThrow(
      'imports ../../shared.ts, which is outside of the package "b" and would be missing elsewhere.',
    )
  })

  test.each([
    ['a:b.md', 'it has a colon'],
    ['a\\b.md', 'it has a backslash'],
    ['con.md', '"con.md" is a device on Windows'],
  ])('when a file could not be installed under its name everywhere: %s', async (name, told) => {
    await expectRefusal(
      { 'lllm.toml': manifest(), [`prompts/${name}`]: '' },
      `It cannot be exported under its name: ${told}`,
    )
  })

  test('when two files would be one elsewhere', async () => {
    await expectRefusal({ 'lllm.toml': manifest(), 'prompts/a.md': '', 'prompts/A.md': '' }, 'out.zip: The entry')
  })

  test('without a manifest', async () => {
    await expectRefusal(
      { 'prompts/a.md': '' },
      'There is no lllm.toml: only what has a name and a version is exported.',
    )
  })

  test('when it cannot be written', async () => {
    const project = await projectOf({ 'lllm.toml': manifest() })
    const none = join(project.outFolder, 'none/out.zip')
    await expect(exportPackage(project.root, none)).rejects.toThrow(`${none}: The archive could not be written: ENOENT`)
    await mkdir(project.out)
    await expect(exportPackage(project.root, project.out)).rejects.toThrow('The archive could not be written: EISDIR')
    expect(await readdir(project.outFolder)).toEqual(['out.zip'])
  })

  test('when it is interrupted', async () => {
    const project = await projectOf({ 'lllm.toml': manifest() })
    const signal = AbortSignal.abort(new Error('Ctrl-C'))
    await expect(exportPackage(project.root, project.out, { signal })).rejects.toThrow('Ctrl-C')
    expect(await readdir(project.outFolder)).toEqual([])
  })
})

test('an archive that lies in a section is no part of the next one', async () => {
  const project = await projectOf({ 'lllm.toml': manifest('demo', '[assets]\npaths = ["assets"]\n'), 'assets/a': 'a' })
  const out = join(project.folder, 'assets/out.zip')
  const first = await exportPackage(project.root, out)
  expect(await exportPackage(project.root, out)).toEqual(first)
})
