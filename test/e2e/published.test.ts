import { cp, mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bin, packProject } from '../../scripts/pack.ts'
import { packageFolder } from '../packages/package-folder.ts'
import { createClient } from './support/client.ts'
import { prepareModules, runIn, serveIn } from './support/installed.ts'
import { projectFolder } from './support/service.ts'

/** What somebody adds to a new project: a tactic, its config, and a package that it depends on. */
const added = {
  'tactics/shout.ts': `import { Tactic } from 'lllm'

export default class Shout extends Tactic({ name: 'shout', agents: ['speaker'] }) {
  async call(task: string) {
    const { speaker } = this.agents
    return (await speaker.open('shout').receive(task).respond()).content.toUpperCase()
  }
}
`,
  'configs/shout.yaml': `tactic_type: shout
global: { model_name: gpt-4o-mini }
agent_configs: [{ name: speaker, system_prompt_path: 'tone:loud' }]
`,
  'lllm_packages/tone/lllm.toml': '[package]\nname = "tone"\nversion = "1.0.0"\n',
  'lllm_packages/tone/prompts/loud.md': 'You are loud.\n',
}

/** A program that uses all that the package gives, and is type-checked against what is published. */
const program = `import { createServer, loadRuntime } from 'lllm'
import { createClient } from 'lllm/client'
import { saysJson, testRuntime, toTranscript } from 'lllm/testing'
import Headlines from './tactics/headlines.ts'

const headlines = ['One', 'Two', 'Three']
const test = await testRuntime({ folder: import.meta.dirname, model: [saysJson({ headlines })] })
const sessions = test.recordSessions()
const scripted: { headlines: string[] } = await test.build(Headlines)({ text: 'It rained.' })
test.model.expectDone()

const runtime = await loadRuntime({ folder: import.meta.dirname })
const server = await createServer(runtime)
const url = await server.listen({ port: 0, host: '127.0.0.1' })
const client = createClient({ url }).tactic<typeof Headlines>('headlines')
// @ts-expect-error the task has a text, and no topic
const wrong: Parameters<typeof client.call>[0] = { topic: 'rain' }
const { result } = await client.call({ text: 'It rained.' })
const first: string | undefined = result.headlines[0]
await server.close()
await runtime.close()
process.stdout.write(JSON.stringify({ scripted, first, wrong, transcript: sessions.map(toTranscript).join('') }))
`

/** The author's tests under a runner that transforms modules, with the config that docs/testing.md says. */
const underVitest = {
  'vitest.config.js': `export default { test: { include: ['under-vitest/*'], server: { deps: { inline: ['lllm'] } } } }`,
  'under-vitest/headlines.test.ts': `import { saysJson, testRuntime } from 'lllm/testing'
import { expect, test } from 'vitest'
import Headlines from '../tactics/headlines.ts'

test('a tactic of the folder is the class that was imported', async () => {
  const headlines = ['One', 'Two', 'Three']
  const runtime = await testRuntime({ folder: '.', model: [saysJson({ headlines })] })
  expect(await runtime.build(Headlines)({ text: 'It rained.' })).toEqual({ headlines })
})
`,
}

/** What the new project needs as well, so that npm leaves it where it is. */
const devDependencies = { '@types/node': '*', node: '*' }

const compilerOptions = {
  target: 'esnext',
  module: 'nodenext',
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  noImplicitOverride: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  allowImportingTsExtensions: true,
  noEmit: true,
}

/** The tactics of the lessons, and what must not compile about them: neither must it where the package is installed. */
async function writeTypePromises(folder: string) {
  await cp(new URL('../../tactics', import.meta.url), join(folder, 'lesson/tactics'), { recursive: true })
  const text = await readFile(new URL('../tactic.test-d.ts', import.meta.url), 'utf8')
  await write(folder, { 'lesson/test/types.ts': text.replaceAll(/'\.\.\/src\/[a-z/]+\.ts'/g, "'lllm'") })
}

async function write(folder: string, files: Readonly<Record<string, string>>) {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true })
    await writeFile(join(folder, path), text)
  }
}

test('what is published installs, makes a project, serves it, and shares it with another one', async () => {
  const folder = await packageFolder({ 'tools/package.json': JSON.stringify({ private: true, devDependencies }) })
  const tools = join(folder, 'tools')
  const demo = join(folder, 'demo')

  // npm pack: nothing is in it but what is needed.
  const [tarball] = await Promise.all([packProject(join(folder, 'package')), prepareModules(tools)])
  const parts = new Set(tarball.paths.map((path) => path.replace(/\/.*/, '')))
  expect([...parts].sort()).toEqual([
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'dist',
    'docs',
    'package.json',
    'templates',
  ])
  expect(tarball.paths.filter((path) => /^dist\/(?!src\/|routes\/)|\.map$/.test(path))).toEqual([])
  expect(tarball.paths.filter((path) => path.startsWith('dist/') && !/\.(?:js|d\.ts)$/.test(path))).toEqual([])

  // npm install, without a registry.
  await runIn(tools, 'npm', ['install', tarball.file])
  const lllm = join(tools, 'node_modules/.bin/lllm')

  // lllm create, and its two commands.
  expect(await runIn(folder, lllm, ['create', 'demo'])).toContain('npm install && npm start')
  await rename(join(tools, 'node_modules'), join(demo, 'node_modules'))
  const npmLllm = join(demo, 'node_modules/.bin/lllm')
  await runIn(demo, 'npm', ['install'])
  expect(await runIn(demo, 'npm', ['test'])).toMatch(/pass 2\n.*fail 0\n/s)
  await write(demo, added)
  await writeFile(
    join(demo, 'lllm.toml'),
    `${await readFile(join(demo, 'lllm.toml'), 'utf8')}\n[dependencies]\npackages = ["./lllm_packages/tone"]\n`,
  )
  const service = await serveIn(demo, 'npm', ['start'])
  const client = createClient(service.url)
  expect((await client.call('headlines', { text: 'It rained.' })).body.result).toHaveProperty('headlines.length', 3)
  expect((await client.call('shout', 'Rain!')).body.result).toContain('RAIN!')
  await service.stop()
  expect(await readdir(join(demo, 'data'))).toContain('lllm.db')

  // As a library: all of its entries, with their types.
  const tsconfig = { compilerOptions, include: ['.'], exclude: ['node_modules', 'under-vitest'] }
  await write(demo, { ...underVitest, 'use.ts': program, 'tsconfig.json': JSON.stringify(tsconfig) })
  await symlink(join(projectFolder, 'node_modules/vitest'), join(demo, 'node_modules/vitest'))
  await writeTypePromises(demo)
  const [told] = await Promise.all([
    runIn(demo, join(demo, 'node_modules/.bin/node'), ['use.ts']),
    runIn(demo, bin('tsc'), ['-p', '.']),
    runIn(demo, bin('vitest'), ['run']),
  ])
  // Before it, on the same output, is what the server logs.
  expect(JSON.parse(told.split('\n').at(-1) ?? '')).toMatchObject({
    scripted: { headlines: ['One', 'Two', 'Three'] },
    first: expect.stringContaining('simulated'),
    transcript: expect.stringContaining('tactic headlines: success'),
  })

  // Its package, with what it depends on, in a second project under another name.
  await runIn(demo, npmLllm, ['pkg', 'export', 'demo', '../demo.zip', '--bundle-deps'])
  await runIn(folder, npmLllm, ['create', 'second'])
  const second = join(folder, 'second')
  await symlink(join(demo, 'node_modules'), join(second, 'node_modules'))
  await runIn(second, npmLllm, ['pkg', 'install', '../demo.zip', '--alias', 'd'])
  const restarted = await serveIn(second, npmLllm, ['serve'])
  const secondClient = createClient(restarted.url)
  expect((await secondClient.call('d::shout', 'Rain!')).body.result).toContain('RAIN!')
  expect((await secondClient.call('headlines', { text: 'It rained.' })).status).toBe(200)
  const { data } = (await secondClient.get<{ data: readonly { id: string }[] }>('/tactics')).body
  expect(data.map(({ id }) => id).sort()).toEqual(['demo::headlines', 'demo::shout', 'second::headlines'])
  await restarted.stop()
}, 60_000)
