import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { spawnService } from '../e2e/support/spawned-service.ts'
import { rawZip } from '../packages/archive/support/raw-zip.ts'
import { filesIn, snapshot, writeFiles } from '../packages/archive/support/scope.ts'
import { manifest, packageFolder, tactic } from '../packages/package-folder.ts'
import { createTestShell, runLllm } from './support/test-shell.ts'

/** A project, an archive of a package `demo`, and a home of the user. */
async function desk(files: Readonly<Record<string, string>> = {}) {
  const folder = await packageFolder({
    'project/lllm.toml': manifest('mine'),
    'project/deep/below.txt': '',
    'demo.zip': rawZip([
      { name: 'lllm.toml', data: manifest('demo', 'description = "Shows."\n') },
      { name: 'tactics/a.ts', data: tactic('a') },
      { name: 'tactics/_shared.ts', data: '' },
    ]),
    ...files,
  })
  const env = { LLLM_HOME: join(folder, 'home') }
  const project = join(folder, 'project')
  return {
    folder,
    project,
    spec: { folder: project, env },
    pkg: (...args: readonly string[]) => runLllm(['pkg', ...args], { folder: project, env }),
  }
}

describe('lllm pkg install', () => {
  test('installs for the project of the nearest manifest, wherever it is called in it', async () => {
    const { project, spec } = await desk()
    const { code, stdout, stderr } = await runLllm(['pkg', 'install', '../../demo.zip'], {
      ...spec,
      folder: join(project, 'deep'),
    })
    const installed = join(project, 'lllm_packages/demo')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^Installed demo 1\.0\.0 in \S+: 3 files, \d+ bytes\.\n$/)
    expect(stdout).toContain(` in ${installed}: `)
    expect(Object.keys(await filesIn(installed))).toEqual(['lllm.toml', 'tactics/_shared.ts', 'tactics/a.ts'])
  })

  test('installs for the user, under an alias, and tells programs in JSON', async () => {
    const { folder, pkg } = await desk()
    const { code, stdout } = await pkg('install', '../demo.zip', '--scope', 'user', '--alias', 'fin', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({
      name: 'demo',
      version: '1.0.0',
      alias: 'fin',
      scope: 'user',
      folder: join(folder, 'home/packages/fin'),
      files: 3,
      bytes: expect.any(Number),
      replaced_version: null,
      bundled: [],
      needs: [],
      missing: [],
    })
  })

  test('refuses a second one without --replace, and replaces with it', async () => {
    const { pkg } = await desk()
    await pkg('install', '../demo.zip')
    const refused = await pkg('install', '../demo.zip')
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toContain('With --replace, version 1.0.0 takes its place.')
    const replaced = await pkg('install', '../demo.zip', '--replace')
    expect(replaced).toMatchObject({ code: 0, stdout: expect.stringContaining('in place of 1.0.0') })
  })

  test('refuses what would stop the next start: a name or an alias that the project has elsewhere', async () => {
    const { folder, pkg } = await desk({
      'project/lllm.toml': manifest('mine', '[dependencies]\npackages = ["./libs/demo as d"]\n'),
      'project/libs/demo/lllm.toml': manifest('demo'),
    })
    const { code, stderr } = await pkg('install', '../demo.zip')
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('There is a package "demo" already'),
    })
    await writeFile(join(folder, 'other.zip'), rawZip([{ name: 'lllm.toml', data: manifest('other') }]))
    expect((await pkg('install', '../other.zip', '--alias', 'd')).stderr).toContain(
      'The alias "d" is what the package in',
    )
    expect((await pkg('install', '../other.zip', '--alias', 'mine')).stderr).toContain('The alias "mine" is what')
    // A user's package stands back behind the project's.
    expect(await pkg('install', '../demo.zip', '--scope', 'user')).toMatchObject({ code: 0 })
  })

  test('warns of packages that are missing, and can install them one after the other', async () => {
    const { folder, pkg } = await desk()
    const text = manifest('top', '[dependencies]\npackages = ["demo"]\n')
    await writeFile(join(folder, 'top.zip'), rawZip([{ name: 'lllm.toml', data: text }]))
    expect(await pkg('install', '../top.zip')).toMatchObject({
      code: 0,
      stderr: 'warning It needs the package "demo", which is not installed: nothing is served until it is.\n',
    })
    expect(await pkg('install', '../demo.zip')).toMatchObject({ code: 0, stderr: '' })
    expect(await pkg('export', 'top', '../again.zip')).toMatchObject({ code: 0 })
  })

  test('refuses a hostile archive with its reason, and leaves nothing', async () => {
    const { folder, pkg } = await desk()
    await writeFile(
      join(folder, 'evil.zip'),
      rawZip([{ name: 'lllm.toml', data: manifest() }, { name: '../\u001b[2J' }]),
    )
    const before = await snapshot(folder)
    const { code, stdout, stderr } = await pkg('install', '../evil.zip')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toBe(
      `lllm: ${join(folder, 'evil.zip')}: The entry "../\\u001b[2J" is refused: it has control characters.\n`,
    )
    expect(await snapshot(folder)).toEqual(before)
  })

  test('needs a project, or --scope user', async () => {
    const { folder, spec } = await desk()
    const { code, stderr } = await runLllm(['pkg', 'install', 'demo.zip'], { ...spec, folder })
    expect(code).toBe(1)
    expect(stderr).toContain('take --scope user, or begin one with lllm create.')
  })

  test('is ended by Ctrl-C, and leaves nothing', async () => {
    const { folder, spec } = await desk()
    const before = await snapshot(folder)
    const shell = createTestShell(spec)
    const interrupted = {
      ...shell,
      onInterrupt(listener: (signal: 'SIGINT' | 'SIGTERM') => void) {
        listener('SIGINT')
        return () => {}
      },
    }
    const { code, stdout, stderr } = await runLllm(['pkg', 'install', '../demo.zip'], interrupted)
    expect({ code, stdout, stderr }).toEqual({
      code: 130,
      stdout: '',
      stderr: 'lllm: Interrupted: nothing was changed.\n',
    })
    expect(await snapshot(folder)).toEqual(before)
  })

  test.each([
    { args: ['install', 'x.zip', '--scope', 'world'], told: 'Allowed choices are project, user.' },
    { args: ['install'], told: "missing required argument 'zip'" },
    { args: ['export', 'mine'], told: "missing required argument 'out.zip'" },
    { args: ['export', 'mien', 'x.zip'], told: 'There is no package "mien". Did you mean "mine"? Known: mine.' },
    { args: ['remove', 'demo'], told: 'No package "demo" is installed in' },
  ])('is misused: $args', async ({ args, told }) => {
    const { code, stdout, stderr } = await (await desk()).pkg(...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(told)
    expect(stderr).not.toMatch(/^\s+at /m)
  })
})

describe('lllm pkg list', () => {
  test('lists what is installed, in a table and in JSON, and runs none of it', async () => {
    const { folder, project, pkg } = await desk({
      'home/packages/broken/lllm.toml': 'broken',
      'home/packages/bomb/lllm.toml': manifest('bomb'),
      'home/packages/bomb/tactics/a.ts': 'process.exit(99)',
    })
    await pkg('install', '../demo.zip', '--alias', 'fin')
    const { code, stdout, stderr } = await pkg('list')
    expect(code).toBe(0)
    expect(stdout.split('\n').map((line) => line.replace(folder, '').split(/\s{2,}/))).toEqual([
      ['PACKAGE', 'VERSION', 'ALIAS', 'SCOPE', 'TACTICS', 'FOLDER'],
      ['demo', '1.0.0', 'fin', 'project', '1', '/project/lllm_packages/fin'],
      ['bomb', '1.0.0', 'user', '1', '/home/packages/bomb'],
      ['broken', 'broken', 'user', '0', '/home/packages/broken'],
      [''],
    ])
    expect(stderr).toContain('broken/lllm.toml:1:')
    const { data } = JSON.parse((await pkg('list', '--json')).stdout)
    expect(data[0]).toEqual({
      name: 'demo',
      version: '1.0.0',
      description: 'Shows.',
      alias: 'fin',
      scope: 'project',
      folder: join(project, 'lllm_packages/fin'),
      tactic_files: 1,
      problem: null,
    })
    expect(data[2]).toMatchObject({ name: 'broken', problem: expect.stringContaining('lllm.toml:1:') })
  })

  test('says when there is nothing', async () => {
    const { code, stdout, stderr } = await (await desk()).pkg('list')
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
    expect(stderr).toMatch(/^No packages are installed in .*lllm_packages or .*home\/packages\.\n$/)
  })
})

describe('lllm pkg remove', () => {
  test('removes a package by its name or its alias, and nothing else', async () => {
    const { folder, project, pkg } = await desk({ 'project/lllm_packages/other/lllm.toml': manifest('other') })
    await pkg('install', '../demo.zip', '--alias', 'fin')
    expect(await pkg('remove', 'fin')).toEqual({
      code: 0,
      stdout: `Removed demo 1.0.0 from ${join(project, 'lllm_packages/fin')}.\n`,
      stderr: '',
    })
    await pkg('install', '../demo.zip', '--scope', 'user')
    expect(JSON.parse((await pkg('remove', 'demo', '--json')).stdout)).toMatchObject({ name: 'demo', scope: 'user' })
    expect(await readdir(join(project, 'lllm_packages'))).toEqual(['other'])
    expect(await readdir(join(folder, 'home/packages'))).toEqual([])
  })

  test('asks for the scope where both have it', async () => {
    const { folder, pkg } = await desk()
    await pkg('install', '../demo.zip', '--scope', 'user')
    await pkg('install', '../demo.zip')
    const { code, stderr } = await pkg('remove', 'demo')
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('tell which with --scope.') })
    expect(await pkg('remove', 'demo', '--scope', 'project')).toMatchObject({ code: 0 })
    expect(await readdir(join(folder, 'home/packages'))).toEqual(['demo'])
  })

  test('follows no link, neither in the place of a package nor in it', async () => {
    const { folder, project, pkg } = await desk({ 'elsewhere/lllm.toml': manifest('linked'), 'keep/file.md': 'kept' })
    await mkdir(join(project, 'lllm_packages'))
    await symlink(join(folder, 'elsewhere'), join(project, 'lllm_packages/linked'))
    const { code, stderr } = await pkg('remove', 'linked')
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('remove the link yourself') })
    await pkg('install', '../demo.zip')
    await symlink(join(folder, 'keep'), join(project, 'lllm_packages/demo/out'))
    expect(await pkg('remove', 'demo')).toMatchObject({ code: 0 })
    expect(await readFile(join(folder, 'keep/file.md'), 'utf8')).toBe('kept')
    expect(await readFile(join(folder, 'elsewhere/lllm.toml'), 'utf8')).toBe(manifest('linked'))
  })

  test.each(['..', '../other', '.', '', 'data'])('removes nothing that is no package: %j', async (name) => {
    const { folder, pkg } = await desk({ 'project/lllm_packages/data/x': '' })
    const before = await snapshot(folder)
    expect(await pkg('remove', name)).toMatchObject({ code: 2, stdout: '' })
    expect(await snapshot(folder)).toEqual(before)
  })
})

test('no command on packages runs any of their code', async () => {
  const { folder, project } = await desk()
  const ran = join(folder, 'ran')
  const canary = `import { writeFileSync } from 'node:fs'\nwriteFileSync(${JSON.stringify(ran)}, '')\n`
  await writeFiles(folder, {
    'canary/lllm.toml': manifest('canary', '[dependencies]\npackages = ["./inner"]\n'),
    'canary/tactics/a.ts': canary,
    'canary/prompts/p.ts': canary,
    'canary/inner/lllm.toml': manifest('inner'),
    'canary/inner/tactics/b.ts': canary,
  })
  const env = { LLLM_HOME: join(folder, 'home') }
  const there = (...args: readonly string[]) => runLllm(['pkg', ...args], { folder: join(folder, 'canary'), env })
  const here = (...args: readonly string[]) => runLllm(['pkg', ...args], { folder: project, env })
  const outcomes = [
    await there('export', 'canary', '../canary.zip', '--bundle-deps'),
    await here('install', '../canary.zip'),
    await here('install', '../canary.zip', '--replace'),
    await here('list', '--json'),
    await here('export', 'canary', '../again.zip'),
    await here('remove', 'canary'),
  ]
  expect(outcomes.map(({ code }) => code)).toEqual(outcomes.map(() => 0))
  expect(existsSync(ran)).toBe(false)
  // It would have sung.
  await here('install', '../canary.zip')
  await runLllm(['list'], { folder: project, env })
  expect(existsSync(ran)).toBe(true)
})

test('an install for the user tells when the project has a package of its name, which goes first', async () => {
  const { project, pkg } = await desk()
  await pkg('install', '../demo.zip')
  const { code, stderr } = await pkg('install', '../demo.zip', '--scope', 'user')
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: `warning This project has a package "demo" of its own, in ${join(project, 'lllm_packages/demo')}, which goes first here.\n`,
  })
})

test('a package that was exported with what it needs is served, once it is installed elsewhere', async () => {
  const config = 'agent_configs: [{ name: writer, model_name: gpt-4o, system_prompt_path: writer }]\n'
  const { folder, project, pkg } = await desk({
    'there/lllm.toml': manifest('news', '[dependencies]\npackages = ["../kit as k"]\n'),
    'there/configs/page.yaml': config,
    'there/prompts/writer.md': 'You write pages.',
    'there/tactics/page.ts': `import { Tactic } from 'lllm'
import Facts from '../../kit/tactics/facts.ts'
import { shorten } from '../shared/shorten.ts'
export default class Page extends Tactic({ name: 'page', agents: ['writer'], tactics: { facts: Facts } }) {
  async call(task) {
    return shorten(await this.tactics.facts(task)) + (await this.agents.writer.open('a').receive(task).respond()).content
  }
}
`,
    'there/shared/shorten.ts': 'export const shorten = (text: string) => text.slice(0, 5)\n',
    'kit/lllm.toml': manifest('kit', '[assets]\npaths = ["assets/"]\n'),
    'kit/assets/facts.txt': 'FACTS and more',
    'kit/configs/facts.yaml': config,
    'kit/prompts/writer.md': 'You find facts.',
    'kit/tactics/facts.ts': `import { Tactic } from 'lllm'
export default class Facts extends Tactic({ name: 'facts', agents: ['writer'] }) {
  async call() { return this.asset('assets:facts.txt').text() }
}
`,
  })
  const exported = await runLllm(['pkg', 'export', 'news', '../news.zip', '--bundle-deps'], {
    folder: join(folder, 'there'),
  })
  expect(exported).toMatchObject({ code: 0, stderr: '' })
  await Promise.all(['there', 'kit'].map((name) => rename(join(folder, name), join(folder, `gone-${name}`))))
  expect(await pkg('install', '../news.zip')).toMatchObject({ code: 0, stderr: '' })
  const service = await spawnService({ folder: project })
  const { status, body } = await service.call('page', 'bees')
  expect({ status, result: body.result }).toEqual({ status: 200, result: expect.stringMatching(/^FACTS.*simulated/) })
})
