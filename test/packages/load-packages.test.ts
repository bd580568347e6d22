import { describe, expect, test } from 'vitest'
import { loadFolder, manifest, packageFolder, tactic } from './package-folder.ts'

const needs = (name: string, ...packages: readonly string[]) =>
  manifest(name, `[dependencies]\npackages = ${JSON.stringify(packages)}\n`)

const load = async (files: Readonly<Record<string, string>>) => loadFolder(await packageFolder(files))

test('a package that many need is loaded once', async () => {
  const { packages } = await load({
    'lllm.toml': needs('root', './a', './b'),
    'a/lllm.toml': needs('a', '../c as one'),
    'b/lllm.toml': needs('b', '../c as two'),
    'c/lllm.toml': manifest('c'),
    'c/tactics/t.ts': tactic('bees'),
  })
  const [, a, c, b] = packages.all
  expect(packages.all.map(({ name }) => name)).toEqual(['root', 'a', 'c', 'b'])
  expect(a?.reachable.get('one')).toBe(c)
  expect(b?.reachable.get('two')).toBe(c)
  expect(packages.root.reachable.get('one')).toBeUndefined()
})

test('every package knows all others by their names, and aliases only where they were given', async () => {
  const { packages } = await load({
    'lllm.toml': needs('root', './a as first'),
    'a/lllm.toml': manifest('a'),
    'lllm_packages/extra/lllm.toml': manifest('extras'),
  })
  const [root, a, extras] = packages.all
  expect([...(root?.reachable.keys() ?? [])]).toEqual(['root', 'a', 'extras', 'first', 'extra'])
  expect([...(a?.reachable.keys() ?? [])]).toEqual(['root', 'a', 'extras'])
  expect(extras?.reachable.get('extras')).toBe(extras)
})

test('bare names are looked for in what is named as a dependency, and not in what was dropped in', async () => {
  const { packages } = await load({
    'lllm.toml': needs('root', 'named'),
    'lllm_packages/a/lllm.toml': needs('a', 'b', 'named'),
    'lllm_packages/b/lllm.toml': manifest('b'),
    'lllm_packages/named/lllm.toml': manifest('named'),
  })
  expect(packages.root.dependencies.map(({ name }) => name)).toEqual(['named'])
})

test('a package that is needed by the name of its folder is called so by whoever needs it', async () => {
  const { packages } = await load({
    'lllm.toml': needs('root', './lib'),
    'lib/lllm.toml': needs('lib', 'ft'),
    'lllm_packages/ft/lllm.toml': manifest('finance-toolkit'),
  })
  const [, lib, toolkit] = packages.all
  expect(lib?.reachable.get('ft')).toBe(toolkit)
  expect(toolkit?.name).toBe('finance-toolkit')
})

describe('an alias is refused', () => {
  test('that is the name of another package', async () => {
    const files = {
      'lllm.toml': needs('root', './a as b', './b as c'),
      'a/lllm.toml': manifest('a'),
      'b/lllm.toml': manifest('b'),
    }
    await expect(load(files)).rejects.toThrow(
      /lllm\.toml: "b" cannot be another name for "a": it leads to the package "b" of that name or alias\.$/,
    )
  })

  test('that another one has, also by the name of a folder', async () => {
    const files = {
      'lllm.toml': needs('root', './a as toolkit'),
      'a/lllm.toml': manifest('a'),
      'lllm_packages/toolkit/lllm.toml': manifest('b'),
    }
    await expect(load(files)).rejects.toThrow('"toolkit" cannot be another name for "b": it leads to the package "a"')
  })
})
