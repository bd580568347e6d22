import { mkdir, symlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type PackageTree, resolvePackages } from '../../src/packages/package-tree.ts'
import { manifest, packageFolder } from './package-folder.ts'

const needs = (name: string, ...packages: readonly string[]) =>
  manifest(name, `[dependencies]\npackages = ${JSON.stringify(packages)}\n`)

const namesOf = ({ nodes }: PackageTree) => nodes.map(({ manifest: { name } }) => name)

async function resolveIn(files: Readonly<Record<string, string>>) {
  return resolvePackages({ folder: await packageFolder(files) })
}

describe('the packages of a project', () => {
  test('are the root, what it needs, then what was dropped in', async () => {
    const tree = await resolveIn({
      'lllm.toml': needs('root', './libs/b as bee', './libs/a'),
      'libs/a/lllm.toml': needs('a', '../c'),
      'libs/b/lllm.toml': manifest('b'),
      'libs/c/lllm.toml': manifest('c'),
      'lllm_packages/zoo/lllm.toml': manifest('zoo'),
      'lllm_packages/ants/lllm.toml': manifest('ants'),
    })
    expect(namesOf(tree)).toEqual(['root', 'b', 'a', 'c', 'ants', 'zoo'])
    expect(tree.root.dependencies.map(({ name }) => name)).toEqual(['bee', 'a'])
    expect(tree.nodes.map(({ origin }) => origin)).toEqual([
      'root',
      'dependency',
      'dependency',
      'dependency',
      'project',
      'project',
    ])
  })

  test('are there once, however many need them, and by whichever link', async () => {
    const folder = await packageFolder({
      'lllm.toml': needs('root', './a', './b', './linked as c2'),
      'a/lllm.toml': needs('a', '../c'),
      'b/lllm.toml': needs('b', '../c as see'),
      'c/lllm.toml': manifest('c'),
    })
    await symlink(join(folder, 'c'), join(folder, 'linked'))
    const tree = await resolvePackages({ folder })
    expect(namesOf(tree).toSorted()).toEqual(['a', 'b', 'c', 'root'])
    const [a, b, linked] = tree.root.dependencies
    expect(a?.node.dependencies[0]?.node).toBe(linked?.node)
    expect(b?.node.dependencies[0]).toMatchObject({ name: 'see', node: linked?.node })
  })

  test('are found by a path however it is written, also where the project itself is behind a link', async () => {
    const folder = await packageFolder({
      'real/lllm.toml': needs('root', './libs/a/', 'libs/b', './libs/../libs//c', '../beside'),
      'real/libs/a/lllm.toml': manifest('a'),
      'real/libs/b/lllm.toml': manifest('b'),
      'real/libs/c/lllm.toml': manifest('c'),
      'beside/lllm.toml': manifest('beside'),
    })
    await symlink(join(folder, 'real'), join(folder, 'link'))
    for (const name of ['real', 'link']) {
      const tree = await resolvePackages({ folder: join(folder, name) })
      expect(namesOf(tree)).toEqual(['root', 'a', 'b', 'c', 'beside'])
      expect(tree.root.manifest.folder).toBe(join(folder, name))
    }
  })

  test('need no folder of the user', async () => {
    const folder = await packageFolder({ 'lllm.toml': manifest('root'), file: '' })
    for (const userFolder of [join(folder, 'none'), join(folder, 'file'), join(folder, 'file/below')]) {
      expect(namesOf(await resolvePackages({ folder, userFolder }))).toEqual(['root'])
    }
    await symlink('circle', join(folder, 'circle'))
    await expect(resolvePackages({ folder, userFolder: join(folder, 'circle') })).rejects.toThrow(
      `${join(folder, 'circle')}: The folder of packages cannot be read (ELOOP).`,
    )
  })

  test('may need a drop-in by its name', async () => {
    const tree = await resolveIn({
      'lllm.toml': needs('root', 'toolkit as tk'),
      'lllm_packages/toolkit/lllm.toml': manifest('toolkit'),
    })
    expect(namesOf(tree)).toEqual(['root', 'toolkit'])
    expect(tree.root.dependencies).toMatchObject([{ name: 'tk', node: { origin: 'dependency' } }])
  })

  test('have the name of their drop-in folder as an alias', async () => {
    const tree = await resolveIn({
      'lllm.toml': manifest('root'),
      'lllm_packages/ft/lllm.toml': manifest('finance-toolkit'),
      'lllm_packages/Not A Name/lllm.toml': manifest('other'),
      'lllm_packages/.install-1/lllm.toml': manifest('half_installed'),
      'lllm_packages/readme/README.md': 'No package.',
    })
    expect(tree.nodes.slice(1).map(({ manifest: { name }, alias }) => [name, alias])).toEqual([
      ['other', undefined],
      ['finance-toolkit', 'ft'],
    ])
  })

  test('have the old version of one whose upgrade was killed between the two, and never both', async () => {
    const killed = { 'lllm.toml': manifest('root'), 'lllm_packages/.replaced-kit/lllm.toml': manifest('toolkit') }
    const tree = await resolveIn(killed)
    expect(tree.nodes.at(-1)).toMatchObject({ alias: 'kit', manifest: { name: 'toolkit' } })
    const whole = await resolveIn({ ...killed, 'lllm_packages/kit/lllm.toml': manifest('toolkit') })
    expect(namesOf(whole)).toEqual(['root', 'toolkit'])
  })

  test('of the user stand back behind those of the project, with a warning', async () => {
    const folder = await packageFolder({
      'project/lllm.toml': manifest('root'),
      'project/lllm_packages/a/lllm.toml': manifest('a'),
      'user/a/lllm.toml': manifest('a'),
      'user/b/lllm.toml': manifest('b'),
    })
    const tree = await resolvePackages({ folder: join(folder, 'project'), userFolder: join(folder, 'user') })
    expect(namesOf(tree)).toEqual(['root', 'a', 'b'])
    expect(tree.nodes.at(-1)?.origin).toBe('user')
    expect(tree.warnings).toEqual([
      `${join(folder, 'user/a')}: there is a package "a" already, in ${join(folder, 'project/lllm_packages/a')}: this one is not loaded.`,
    ])
  })
})

test('what a package of the user brings along stands back behind the project as well', async () => {
  const folder = await packageFolder({
    'project/lllm.toml': needs('root', './libs/common'),
    'project/libs/common/lllm.toml': manifest('common'),
    'user/kit/lllm.toml': needs('kit', './lllm_packages/common as c'),
    'user/kit/lllm_packages/common/lllm.toml': manifest('common'),
  })
  const tree = await resolvePackages({ folder: join(folder, 'project'), userFolder: join(folder, 'user') })
  expect(namesOf(tree)).toEqual(['root', 'common', 'kit'])
  expect(tree.nodes.at(-1)?.dependencies).toMatchObject([{ name: 'c', node: tree.nodes[1] }])
  expect(tree.warnings).toEqual([expect.stringContaining('this one is not loaded')])
})

describe('a tree that cannot be is refused, and the places are shown:', () => {
  test('packages that need each other in a cycle', async () => {
    const files = {
      'lllm.toml': needs('root', './a'),
      'a/lllm.toml': needs('a', '../b'),
      'b/lllm.toml': needs('b', '../c'),
      'c/lllm.toml': needs('c', '../a as first'),
    }
    await expect(resolveIn(files)).rejects.toThrow(
      /\/c\/lllm\.toml: \[dependencies\] packages: the packages depend on each other in a cycle: a → b → c → a\.$/,
    )
  })

  test('a package that needs itself', async () => {
    await expect(resolveIn({ 'lllm.toml': needs('root', './') })).rejects.toThrow('in a cycle: root → root.')
  })

  test('one that is not there', async () => {
    await expect(resolveIn({ 'lllm.toml': needs('root', './toolkit') })).rejects.toThrow(
      /lllm\.toml: \[dependencies\] packages: "\.\/toolkit": there is no lllm\.toml in .*\/toolkit\.$/,
    )
    const files = { 'lllm.toml': needs('root', 'tolkit'), 'lllm_packages/toolkit/lllm.toml': manifest('toolkit') }
    await expect(resolveIn(files)).rejects.toThrow(
      'the package "tolkit" is not installed. Did you mean "toolkit"? Known: toolkit.',
    )
  })

  test('two packages of one name', async () => {
    const files = {
      'lllm.toml': needs('root', './x', './y'),
      'x/lllm.toml': manifest('same'),
      'y/lllm.toml': manifest('same'),
    }
    await expect(resolveIn(files)).rejects.toThrow(
      /\/y\/lllm\.toml: The name "same" is taken by the package in .*\/x: rename or remove one of them\.$/,
    )
    const dropIn = { 'lllm.toml': manifest('root'), 'lllm_packages/copy/lllm.toml': manifest('root') }
    await expect(resolveIn(dropIn)).rejects.toThrow('The name "root" is taken')
  })

  test('two dependencies with one alias', async () => {
    const files = {
      'lllm.toml': needs('root', './x as it', './y as it'),
      'x/lllm.toml': manifest('x'),
      'y/lllm.toml': manifest('y'),
    }
    await expect(resolveIn(files)).rejects.toThrow('two of them are called "it" here.')
  })

  test('a manifest with a mistake, whichever package it is of', async () => {
    const files = { 'lllm.toml': needs('root', './x'), 'x/lllm.toml': manifest('X') }
    await expect(resolveIn(files)).rejects.toThrow(/\/x\/lllm\.toml:2:1: \[package\] name: a name fits/)
  })

  test('a chain that is too long', async () => {
    const chain = Array.from({ length: 40 }, (_, index) => [
      index === 0 ? 'lllm.toml' : `p${index}/lllm.toml`,
      needs(`p${index}`, index === 0 ? './p1' : `../p${index + 1}`),
    ])
    await expect(resolveIn(Object.fromEntries(chain))).rejects.toThrow('at most 256 packages, 32 deep.')
  })
})

test('a folder without a manifest has drop-ins too', async () => {
  const folder = await packageFolder({ 'lllm_packages/a/lllm.toml': manifest('a') })
  await mkdir(join(folder, 'tactics'))
  const tree = await resolvePackages({ folder })
  expect(namesOf(tree)).toEqual([basename(folder).toLowerCase(), 'a'])
  expect(tree.warnings).toEqual([expect.stringContaining('There is no lllm.toml')])
})
