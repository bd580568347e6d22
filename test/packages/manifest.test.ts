import { mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findManifest } from '../../src/packages/find-manifest.ts'
import { readManifest, standardManifest } from '../../src/packages/manifest.ts'
import { loadFolder, manifest, packageFolder } from './package-folder.ts'

const read = async (text: string) => readManifest(join(await packageFolder({ 'lllm.toml': text }), 'lllm.toml'))

describe('a manifest', () => {
  test('names the package, and its standard folders where it says nothing else', async () => {
    const folder = await packageFolder({ 'lllm.toml': manifest('my_project', 'description = "Mine."\n') })
    const standard = (path: string) => ({ paths: [{ path, prefix: '' }], declared: false })
    expect(await readManifest(join(folder, 'lllm.toml'))).toEqual({
      name: 'my_project',
      version: '1.0.0',
      description: 'Mine.',
      folder,
      file: join(folder, 'lllm.toml'),
      prompts: standard('prompts'),
      configs: standard('configs'),
      tactics: standard('tactics'),
      sections: new Map(),
      dependencies: [],
    })
  })

  test('declares where its sections are', async () => {
    const { tactics } = await read(manifest('a', '[tactics]\npaths = ["tactics/", "more/one.ts"]\n'))
    expect(tactics).toEqual({
      paths: [
        { path: 'tactics/', prefix: '' },
        { path: 'more/one.ts', prefix: '' },
      ],
      declared: true,
    })
  })
})

describe('a mistake in a manifest', () => {
  test('of its syntax is told with line and column', async () => {
    const folder = await packageFolder({ 'lllm.toml': '[package]\nname = demo\n' })
    const file = join(folder, 'lllm.toml')
    await expect(readManifest(file)).rejects.toMatchObject({
      code: 'invalid-manifest',
      message: expect.stringMatching(/lllm\.toml:2:\d+: Invalid TOML document: [^\n]+\.$/),
      data: { file },
    })
  })

  test.each([
    ['name = "x"', '[package]: Invalid input: expected object'],
    ['[package]\nname = "x"', '[package] version: Invalid input: expected string'],
    [manifest('My Project'), '[package] name: a name fits ^[a-z0-9][a-z0-9_-]{0,63}$.'],
    [manifest('../evil'), '[package] name: a name fits'],
    [manifest('a', 'auhtor = "me"'), '[package]: "auhtor" is not known.'],
    [
      manifest('a', '[promts]\npaths = []'),
      'lllm.toml:4:1: The section [promts] looks like [prompts]: a section of your own needs another name.',
    ],
    [manifest('a', '[tactics]\npaths = "tactics"'), '[tactics] paths: Invalid input: expected array'],
    [
      manifest('a', '[constructor]\nx = 1'),
      'lllm.toml:4:2: Invalid TOML document: document contains an unsafe property.',
    ],
  ])('%j is told with its place', async (text, message) => {
    await expect(read(text)).rejects.toThrow(message)
  })

  test.each(['..', '../other', 'a/../../b', '/etc', '~/x', 'C:/x', '\\\\server', 'a\\..\\..\\b'])(
    'a path that leaves the package is refused: %s',
    async (path) => {
      await expect(read(manifest('a', `[configs]\npaths = ['${path}']`))).rejects.toThrow(
        '[configs] paths 0: the path must stay inside the folder of the package.',
      )
    },
  )

  test('a manifest that is too large or no text is refused before it is parsed', async () => {
    await expect(read(`# ${'x'.repeat(70_000)}`)).rejects.toThrow('at most 65536 are read')
    const folder = await packageFolder({ 'lllm.toml': new Uint8Array([0x5b, 0xff]) })
    await expect(readManifest(join(folder, 'lllm.toml'))).rejects.toThrow('It is not UTF-8 text.')
  })
})

describe('the manifest', () => {
  test('that is nearest upward is the one', async () => {
    const folder = await packageFolder({ 'lllm.toml': manifest('outer'), 'inner/lllm.toml': manifest('inner') })
    await mkdir(join(folder, 'inner/a/b'), { recursive: true })
    expect(await findManifest(join(folder, 'inner/a/b'))).toBe(join(folder, 'inner/lllm.toml'))
    expect(await findManifest(folder)).toBe(join(folder, 'lllm.toml'))
  })

  test('may be given by its path or its folder', async () => {
    const folder = await packageFolder({ 'a/lllm.toml': manifest(), 'b/other.toml': manifest() })
    expect(await findManifest(folder, 'a')).toBe(join(folder, 'a/lllm.toml'))
    expect(await findManifest('/', join(folder, 'b/other.toml'))).toBe(join(folder, 'b/other.toml'))
    await expect(findManifest(folder, 'nowhere')).rejects.toThrow(
      `${join(folder, 'nowhere')}: There is no lllm.toml, where LLLM_CONFIG (or --package) says that one is.`,
    )
  })

  test('may be missing: the standard folders are served under the name of the folder, with a warning', async () => {
    const folder = await packageFolder({ 'configs/a.yaml': 'description: A.' })
    const loaded = await loadFolder(folder)
    expect(loaded.package.name).toBe(basename(folder).toLowerCase())
    expect([...loaded.package.configs.keys()]).toEqual(['a'])
    expect(loaded.warnings).toEqual([expect.stringContaining('There is no lllm.toml')])
  })

  test.each([
    ['/x/My Project!', 'my_project_'],
    ['/x/__draft', 'draft'],
    ['/', 'package'],
    ['/x/Ω', 'package'],
  ])('has a name made from the folder %s: %s', (folder, name) => {
    expect(standardManifest(folder).name).toBe(name)
  })
})
