import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, stat, symlink, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { disk } from '../../../src/packages/archive/disk.ts'
import { type InstallOptions, installPackage } from '../../../src/packages/archive/install-package.ts'
import { listInstalled } from '../../../src/packages/archive/list-installed.ts'
import { removePackage } from '../../../src/packages/archive/remove-package.ts'
import { findDropIns } from '../../../src/packages/drop-ins.ts'
import { manifest, packageFolder, tactic } from '../package-folder.ts'
import { brokenDisk, type DiskFault } from './support/broken-disk.ts'
import { type RawEntry, rawZip } from './support/raw-zip.ts'
import { createScope, filesIn, snapshot, writeFiles } from './support/scope.ts'

const versioned = (version: string, name = 'demo') => manifest(name).replace('1.0.0', version)

function demo(version = '1.0.0', more: readonly RawEntry[] = [], name = 'demo'): Uint8Array {
  return rawZip([
    { name: 'lllm.toml', data: versioned(version, name) },
    { name: 'tactics/a.ts', data: tactic(`a_${version}`) },
    ...more,
  ])
}

/** A project where version 1 is installed, and an archive of version 2. */
async function upgradable() {
  const scope = await createScope(demo('2.0.0', [{ name: 'new/file.md', data: 'new' }]))
  await writeFiles(scope.scopeFolder, { 'demo/lllm.toml': versioned('1.0.0'), 'demo/old.md': 'old' })
  return { ...scope, folder: join(scope.scopeFolder, 'demo') }
}

describe('an install', () => {
  test('puts the package into the folder of its name, and tells what it did', async () => {
    const { archive, scopeFolder } = await createScope(demo('1.2.3', [{ name: 'prompts/', mode: 0o040755 }]))
    const report = await installPackage(archive, { scopeFolder })
    const folder = join(scopeFolder, 'demo')
    expect(report).toEqual({
      name: 'demo',
      version: '1.2.3',
      folder,
      files: 2,
      bytes: expect.any(Number),
      bundled: [],
      needs: [],
      warnings: [],
    })
    expect(await readdir(scopeFolder)).toEqual(['demo'])
    expect((await readdir(folder)).sort()).toEqual(['lllm.toml', 'prompts', 'tactics'])
    expect(await readFile(join(folder, 'tactics/a.ts'), 'utf8')).toBe(tactic('a_1.2.3'))
  })

  test('under an alias uses its folder for the alias', async () => {
    const { archive, scopeFolder } = await createScope(demo())
    expect(await installPackage(archive, { scopeFolder, alias: 'mine' })).toMatchObject({ name: 'demo', alias: 'mine' })
    expect(await findDropIns(scopeFolder)).toMatchObject([{ alias: 'mine', manifest: { name: 'demo' } }])
  })

  test('takes a folder that was compressed with its name, as file managers do it, without what macOS adds', async () => {
    const { archive, scopeFolder } = await createScope(
      rawZip([
        { name: 'My Demo/', mode: 0o040755 },
        { name: 'My Demo/lllm.toml', data: manifest(), flags: 0, madeBy: 0, mode: 0 },
        { name: 'My Demo/.DS_Store', data: 'x' },
        { name: '__MACOSX/My Demo/._lllm.toml', data: 'x' },
      ]),
    )
    const { folder } = await installPackage(archive, { scopeFolder })
    expect(await filesIn(folder)).toEqual({ 'lllm.toml': manifest() })
  })

  test('gives files the modes of any new file, whatever the archive says', async () => {
    const { archive, scopeFolder } = await createScope(demo('1.0.0', [{ name: 'tool', data: 'x', mode: 0o106777 }]))
    const { folder } = await installPackage(archive, { scopeFolder })
    expect((await stat(join(folder, 'tool'))).mode & 0o7777).toBe(0o644)
    expect((await stat(join(folder, 'tactics'))).mode & 0o7777).toBe(0o755)
  })

  test('runs nothing of the package', async () => {
    const code = `import { writeFileSync } from 'node:fs'\nwriteFileSync(new URL('./ran', import.meta.url), '')\n`
    const { archive, scopeFolder } = await createScope(demo('1.0.0', [{ name: 'tactics/b.ts', data: code }]))
    const { folder } = await installPackage(archive, { scopeFolder })
    expect(await listInstalled(scopeFolder)).toMatchObject([{ name: 'demo', tacticFiles: 2 }])
    expect(existsSync(join(folder, 'tactics/ran'))).toBe(false)
  })

  test('tells which packages it needs by their names', async () => {
    const text = manifest('demo', '[dependencies]\npackages = ["zeta", "alpha as a"]\n')
    const { archive, scopeFolder } = await createScope(rawZip([{ name: 'lllm.toml', data: text }]))
    expect(await installPackage(archive, { scopeFolder })).toMatchObject({ needs: ['alpha', 'zeta'] })
  })
})

describe('an install is refused, and changes nothing,', () => {
  async function expectRefusal(told: string, options: Partial<InstallOptions>, there: Record<string, string> = {}) {
    const { root, archive, scopeFolder } = await createScope(
      rawZip([
        {
          name: 'lllm.toml',
          data: manifest('demo', '[dependencies]\npackages = ["./lllm_packages/extra"]\n'),
        },
        { name: 'lllm_packages/extra/lllm.toml', data: manifest('extra') },
      ]),
    )
    await writeFiles(root, there)
    const before = await snapshot(root)
    const refusal = await installPackage(archive, { scopeFolder, ...options }).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'package-refused', message: expect.stringContaining(told) })
    expect(await snapshot(root)).toEqual(before)
  }
  const at = (folder: string, name: string) => ({ [`project/lllm_packages/${folder}/lllm.toml`]: manifest(name) })

  test.each(['../evil', 'Upper', '', '.hidden', 'a/b', 'x'.repeat(65)])('under the alias %j', (alias) =>
    expectRefusal('does not fit', { alias }),
  )
  test.each(['con', 'node_modules', 'lllm_packages'])('under the alias %j, which is reserved', (alias) =>
    expectRefusal('is reserved: choose another.', { alias }),
  )
  test('when the package is there', () =>
    expectRefusal('With --replace, version 1.0.0 takes its place.', {}, at('demo', 'demo')))
  test('when the package is there under an alias', () =>
    expectRefusal('With --replace, version 1.0.0 takes its place.', {}, at('other', 'demo')))
  test('when the package is there under another alias', () =>
    expectRefusal('There is a package "demo" already, in', { alias: 'mine', replace: true }, at('other', 'demo')))
  test('when another package has its folder', () =>
    expectRefusal('The package "other" is there, not "demo"', { replace: true }, at('demo', 'other')))
  test('when something else has its folder', () =>
    expectRefusal('There is something which is no package', { replace: true }, { 'project/lllm_packages/demo/x': '' }))
  test('when another package has the name of one that comes along', () =>
    expectRefusal('The archive brings a package "extra" along, but there is one in', {}, at('extra', 'extra')))
  test('when its alias is the name of another package', () =>
    expectRefusal('choose another', { alias: 'extra' }, at('extra', 'extra')))
  test('when the project has a package of its name elsewhere', () =>
    expectRefusal('"demo" already, in /elsewhere', { taken: new Map([['demo', '/elsewhere']]) }))
  test('when the project has a package called as its alias elsewhere', () =>
    expectRefusal('The alias "x" is what the package in /there is called', {
      alias: 'x',
      taken: new Map([['x', '/there']]),
    }))
  test('when it calls another package by the name of one that is there', async () => {
    const text = manifest('demo', '[dependencies]\npackages = ["kit as other"]\n')
    const { archive, scopeFolder } = await createScope(rawZip([{ name: 'lllm.toml', data: text }]))
    await writeFiles(scopeFolder, { 'other/lllm.toml': manifest('other') })
    await expect(installPackage(archive, { scopeFolder })).rejects.toThrow('calls "kit" by the alias "other", which is')
    expect(await readdir(scopeFolder)).toEqual(['other'])
  })
  test('when it is interrupted before', () =>
    expectRefusal('Ctrl-C', {
      signal: AbortSignal.abort(Object.assign(new Error('Ctrl-C'), { code: 'package-refused' })),
    }))
})

test('a link in the place of the package is neither replaced nor followed', async () => {
  const { archive, scopeFolder } = await createScope(demo('2.0.0'))
  const elsewhere = await packageFolder({ 'lllm.toml': versioned('1.0.0'), 'mine.md': 'mine' })
  await mkdir(scopeFolder)
  await symlink(elsewhere, join(scopeFolder, 'demo'))
  await expect(installPackage(archive, { scopeFolder, replace: true })).rejects.toThrow('It is a link')
  expect(Object.keys(await filesIn(elsewhere))).toEqual(['lllm.toml', 'mine.md'])
})

describe('with replace', () => {
  test('the new version takes the place of the old one, of which nothing is left', async () => {
    const { archive, scopeFolder, folder } = await upgradable()
    expect(await installPackage(archive, { scopeFolder, replace: true })).toMatchObject({
      version: '2.0.0',
      replacedVersion: '1.0.0',
      warnings: [],
    })
    expect(Object.keys(await filesIn(folder))).toEqual(['lllm.toml', 'new/file.md', 'tactics/a.ts'])
    expect(await readdir(scopeFolder)).toEqual(['demo'])
  })

  test('the old one is found under its alias, which stays', async () => {
    const { archive, scopeFolder, folder } = await upgradable()
    const called = join(scopeFolder, 'mine')
    await rename(folder, called)
    expect(await installPackage(archive, { scopeFolder, replace: true })).toMatchObject({
      alias: 'mine',
      folder: called,
      replacedVersion: '1.0.0',
    })
    expect(await readdir(scopeFolder)).toEqual(['mine'])
  })

  test('a broken one is replaced, too', async () => {
    const { archive, scopeFolder } = await upgradable()
    await writeFiles(scopeFolder, { 'demo/lllm.toml': 'broken' })
    expect(await installPackage(archive, { scopeFolder, replace: true })).toMatchObject({ version: '2.0.0' })
  })

  test('the packages that the old version brought along are in nobody’s way', async () => {
    const { archive, scopeFolder, folder } = await upgradable()
    const taken = new Map([
      ['demo', folder],
      ['extra', join(folder, 'lllm_packages/extra')],
    ])
    await expect(installPackage(archive, { scopeFolder, replace: true, taken })).resolves.toMatchObject({
      version: '2.0.0',
    })
  })
})

/** The steps of the disk at which an upgrade can fail: folders, files, two renames, and the removal of the old version. */
async function stepsOf(replace: boolean): Promise<readonly string[]> {
  const { archive, scopeFolder } = replace ? await upgradable() : await createScope(demo())
  const disk = brokenDisk({ step: Number.POSITIVE_INFINITY, how: 'fails' })
  await installPackage(archive, { scopeFolder, replace, disk })
  return disk.steps
}

describe('a failure at any step', () => {
  test('of an install leaves nothing', async () => {
    const steps = await stepsOf(false)
    expect(steps).toEqual(['mkdir', 'write', 'mkdir', 'write', 'rename'])
    for (const step of steps.keys()) {
      const { root, archive, scopeFolder } = await createScope(demo())
      const before = await snapshot(root)
      const disk = brokenDisk({ step: step + 1, how: 'fails' })
      await expect(installPackage(archive, { scopeFolder, disk })).rejects.toMatchObject({
        code: 'package-refused',
        message: expect.stringContaining('ENOSPC'),
      })
      expect(await snapshot(root)).toEqual(before)
    }
  })

  test('of an upgrade leaves the old version, or the new one as a whole', async () => {
    const steps = await stepsOf(true)
    expect(steps.slice(-4)).toEqual(['rename', 'rename', 'rename', 'remove'])
    for (const step of steps.keys()) {
      const { archive, scopeFolder, folder } = await upgradable()
      const before = await snapshot(scopeFolder)
      const disk = brokenDisk({ step: step + 1, how: 'fails' })
      const outcome = await installPackage(archive, { scopeFolder, replace: true, disk }).catch((error: Error) => error)
      if (step < steps.length - 2) {
        expect(outcome).toMatchObject({ code: 'package-refused' })
        expect(await snapshot(scopeFolder)).toEqual(before)
      } else {
        expect(outcome).toMatchObject({
          version: '2.0.0',
          warnings: [expect.stringContaining('The old version could not')],
        })
        expect(Object.keys(await filesIn(folder))).toContain('new/file.md')
      }
    }
  })

  test('a kill before any step of an upgrade leaves a whole version, at the latest after the next command', async () => {
    const steps = await stepsOf(true)
    for (const step of steps.keys()) {
      const { archive, scopeFolder, folder } = await upgradable()
      const fault: DiskFault = { step: step + 1, how: 'killed' }
      const killed = await installPackage(archive, { scopeFolder, replace: true, disk: brokenDisk(fault) }).catch(
        (error: unknown) => error,
      )
      if (step < steps.length - 2) expect(killed).toMatchObject({ code: 'package-refused' })
      const other = await createScope(demo('1.0.0', [], 'other'))
      await installPackage(other.archive, { scopeFolder })
      const names = Object.keys(await filesIn(folder))
      const whole = step < steps.length - 2 ? ['lllm.toml', 'old.md'] : ['lllm.toml', 'new/file.md', 'tactics/a.ts']
      expect(names).toEqual(whole)
      expect((await findDropIns(scopeFolder)).map(({ manifest: found }) => found.name)).toEqual(['demo', 'other'])
    }
  })
})

test('a folder that cannot be made is told', async () => {
  const { root, archive } = await createScope(demo())
  for (const scopeFolder of [
    '/proc/none/packages',
    '/dev/null/packages',
    join(root, 'archive.zip'),
    join(archive, 'x'),
  ]) {
    await expect(installPackage(archive, { scopeFolder })).rejects.toMatchObject({
      code: 'package-refused',
      message: expect.stringContaining(`${scopeFolder}: The folder could not be made: `),
    })
  }
})

test('a disk that is really full ends the install, which leaves nothing', async () => {
  const { root, archive, scopeFolder } = await createScope(demo())
  const before = await snapshot(root)
  const full = { ...disk, createFile: () => createWriteStream('/dev/full') }
  await expect(installPackage(archive, { scopeFolder, disk: full })).rejects.toMatchObject({
    code: 'package-refused',
    message: expect.stringContaining('The package could not be written: ENOSPC: no space left on device'),
  })
  expect(await snapshot(root)).toEqual(before)
})

test('a process that is really killed in the middle of an upgrade leaves a whole version, which is served', async () => {
  const steps = await stepsOf(true)
  const renames = steps.flatMap((step, index) => (step === 'rename' ? [index + 1] : []))
  for (const step of [steps.indexOf('write') + 1, ...renames, steps.length]) {
    const { archive, scopeFolder } = await upgradable()
    const script = join(import.meta.dirname, 'support/killed-install.ts')
    const killed = spawn(process.execPath, [script, archive, scopeFolder, String(step)], { stdio: 'ignore' })
    expect(await once(killed, 'exit')).toEqual([null, 'SIGKILL'])
    const [found, second] = await findDropIns(scopeFolder)
    expect(second).toBeUndefined()
    const isNew = step > (renames[1] ?? 0)
    expect(found?.manifest.version).toBe(isNew ? '2.0.0' : '1.0.0')
    const files = Object.keys(await filesIn(found?.manifest.folder ?? ''))
    expect(files).toEqual(isNew ? ['lllm.toml', 'new/file.md', 'tactics/a.ts'] : ['lllm.toml', 'old.md'])
    expect(await listInstalled(scopeFolder)).toMatchObject([{ name: 'demo', version: found?.manifest.version }])
    expect(await installPackage(archive, { scopeFolder, replace: true })).toMatchObject({ version: '2.0.0' })
  }
})

describe('what a killed install has left', () => {
  test('is never taken for a package, and is removed once nobody can be at work on it', async () => {
    const { archive, scopeFolder } = await createScope(demo())
    await writeFiles(scopeFolder, {
      '.install-old/lllm.toml': manifest('old'),
      '.install-new/lllm.toml': manifest('new'),
      '.removed-old/lllm.toml': manifest('removed'),
    })
    const longAgo = Date.now() / 1000 - 2 * 60 * 60
    for (const name of ['.install-old', '.removed-old']) await utimes(join(scopeFolder, name), longAgo, longAgo)
    await installPackage(archive, { scopeFolder })
    expect((await readdir(scopeFolder)).sort()).toEqual(['.install-new', 'demo'])
    expect(await listInstalled(scopeFolder)).toMatchObject([{ name: 'demo' }])
  })

  test('between its two renames is listed, and can be removed', async () => {
    const { scopeFolder, folder } = await upgradable()
    const aside = join(scopeFolder, '.replaced-demo')
    await rename(folder, aside)
    expect(await listInstalled(scopeFolder)).toMatchObject([{ name: 'demo', version: '1.0.0', folder: aside }])
    expect(await removePackage('demo', scopeFolder)).toMatchObject({ name: 'demo', folder })
    expect(await readdir(scopeFolder)).toEqual([])
  })

  test('between its two renames comes back', async () => {
    const { archive, scopeFolder, folder } = await upgradable()
    await rename(folder, join(scopeFolder, '.replaced-demo'))
    await expect(installPackage(archive, { scopeFolder })).rejects.toThrow('in version 1.0.0')
    expect(Object.keys(await filesIn(folder))).toEqual(['lllm.toml', 'old.md'])
  })
})

describe('installs of the same package at the same time', () => {
  test('end with one of them, whole, and the others are told', async () => {
    const { archive, scopeFolder } = await createScope(demo())
    const all = await Promise.allSettled(Array.from({ length: 8 }, () => installPackage(archive, { scopeFolder })))
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const outcome of all) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'package-refused' })
    }
    expect(await readdir(scopeFolder)).toEqual(['demo'])
    expect(Object.keys(await filesIn(scopeFolder))).toEqual(['demo/lllm.toml', 'demo/tactics/a.ts'])
  })

  test('that replace it end with a whole version, too', async () => {
    const { archive, scopeFolder, folder } = await upgradable()
    const all = await Promise.allSettled(
      Array.from({ length: 8 }, () => installPackage(archive, { scopeFolder, replace: true })),
    )
    expect(all.some(({ status }) => status === 'fulfilled')).toBe(true)
    for (const outcome of all) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'package-refused' })
    }
    expect(Object.keys(await filesIn(folder))).toEqual(['lllm.toml', 'new/file.md', 'tactics/a.ts'])
    expect(await readdir(scopeFolder)).toEqual(['demo'])
  })
})

test('an interrupt in the middle of a file ends the install, which leaves nothing', async () => {
  const { root, archive, scopeFolder } = await createScope(demo())
  const before = await snapshot(root)
  const controller = new AbortController()
  const disk = brokenDisk({ step: Number.POSITIVE_INFINITY, how: 'fails' })
  const interrupting = {
    ...disk,
    createFile(path: string) {
      controller.abort(new Error('Ctrl-C'))
      return disk.createFile(path)
    },
  }
  const install = installPackage(archive, { scopeFolder, signal: controller.signal, disk: interrupting })
  await expect(install).rejects.toThrow('Ctrl-C')
  expect(await snapshot(root)).toEqual(before)
})
