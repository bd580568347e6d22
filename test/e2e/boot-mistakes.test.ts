import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { isLllmError } from '../../src/domain/errors.ts'
import { loadRuntime } from '../../src/load-runtime.ts'
import { writePackage } from './support/package.ts'
import type { ServiceSpec } from './support/service.ts'
import { spawnProcess } from './support/spawned-service.ts'

/** A tactic with the agent `writer`, and its config: a package that starts. Mistakes are made by replacing a file. */
const sound = {
  'tactics/essay.ts': tactic('essay'),
  'configs/essay.yaml': agents("{ name: writer, system_prompt: 'You write.' }"),
}

function tactic(name: string, more = '') {
  return `import { Tactic } from 'lllm'
export default class extends Tactic({ name: '${name}', agents: ['writer']${more} }) {
  async call(task) { return task }
}
`
}

function agents(...lines: readonly string[]) {
  return `global: { model_name: gpt-4o }\nagent_configs:\n${lines.map((line) => `  - ${line}\n`).join('')}`
}

/** Starts the process, which is expected to refuse, and gives the one message that it leaves. */
async function refusal(spec: ServiceSpec): Promise<string> {
  const { code, signal, stdout, stderr } = await spawnProcess(spec).exited
  expect({ code, signal, stdout }).toEqual({ code: 1, signal: null, stdout: '' })
  expect(stderr).toMatch(/^lllm cannot start\. /)
  expect(stderr).not.toMatch(/^\s+at |node:internal|\.ts:\d+:\d+/m)
  return stderr
}

/** The message that a start in this process refuses with. Only of an error of our own is it all that is told. */
async function refusalInProcess(folder: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const error = await loadRuntime({
    folder,
    env: { LLLM_DATABASE: ':memory:', LLLM_HOME: '/nonexistent', ...env },
  }).catch((reason: unknown) => reason)
  if (!isLllmError(error)) throw error
  return error.message
}

interface Mistake {
  readonly mistake: string
  readonly files: Readonly<Record<string, string>>
  /** The file that has the mistake, and what else the message tells. */
  readonly tells: readonly (string | RegExp)[]
}

const mistakes: readonly Mistake[] = [
  {
    mistake: 'a tactic without a config',
    files: { 'tactics/poem.ts': tactic('poem') },
    tells: ['tactics/poem.ts', '"poem"', 'config'],
  },
  {
    mistake: 'a config without an agent of its tactic',
    files: { 'configs/essay.yaml': agents("{ name: writr, system_prompt: 'You write.' }") },
    tells: ['configs/essay.yaml', '"writer"', 'Did you mean "writer"?'],
  },
  {
    mistake: 'a config with an agent that its tactic does not have',
    files: { 'configs/essay.yaml': `${sound['configs/essay.yaml']}  - { name: editor, system_prompt: 'You edit.' }\n` },
    tells: ['configs/essay.yaml', 'no agent "editor"', 'Known: writer'],
  },
  {
    mistake: 'the path of a prompt that is not there',
    files: {
      'configs/essay.yaml': agents('{ name: writer, system_prompt_path: writter }'),
      'prompts/writer.md': 'You write.',
    },
    tells: ['configs/essay.yaml', '"writter"', 'Did you mean "writer"?'],
  },
  {
    mistake: 'the config of a sub-tactic that is not there',
    files: { 'configs/essay.yaml': `${sound['configs/essay.yaml']}sub_tactics: { review: strict }\n` },
    tells: ['configs/essay.yaml', 'no sub-tactic "review"'],
  },
  {
    mistake: 'two tactics of one name',
    files: { 'tactics/novel.ts': tactic('essay') },
    tells: ['tactics/novel.ts', 'tactics/essay.ts', '"essay"'],
  },
  {
    mistake: 'a syntax error in a tactic',
    files: { 'tactics/essay.ts': 'export default class {{\n' },
    tells: ['tactics/essay.ts', 'could not be loaded'],
  },
  {
    mistake: 'a tactic that throws when it is loaded',
    files: { 'tactics/essay.ts': "throw new Error('There is no glossary.')\n" },
    tells: ['tactics/essay.ts', 'There is no glossary.'],
  },
  {
    mistake: 'a file without a tactic',
    files: { 'tactics/helper.ts': 'export const limit = 3\n' },
    tells: ['tactics/helper.ts', 'limit (number)', 'underscore'],
  },
  {
    mistake: 'a config that is no YAML',
    files: { 'configs/essay.yaml': 'global: [1\nagent_configs: }' },
    tells: ['configs/essay.yaml:2:1: '],
  },
  {
    mistake: 'a config of an unknown key',
    files: { 'configs/essay.yaml': `${sound['configs/essay.yaml']}agent_config: []\n` },
    tells: ['configs/essay.yaml', '/agent_config is not known', 'Did you mean "agent_configs"?'],
  },
  {
    mistake: 'bases that lead back to where they began',
    files: {
      'configs/essay.yaml': 'base: house\n',
      'configs/house.yaml': 'base: essay\n',
    },
    tells: [/configs\/(essay|house)\.yaml/, /essay → house → essay|house → essay → house/],
  },
  {
    mistake: 'a base that is not there',
    files: { 'configs/essay.yaml': `base: huose\n${sound['configs/essay.yaml']}`, 'configs/house.yaml': '{}' },
    tells: ['configs/essay.yaml', '"huose"', 'Did you mean "house"?'],
  },
  {
    mistake: 'an invoker that nothing declares',
    files: { 'configs/essay.yaml': agents("{ name: writer, system_prompt: 'You write.', invoker: my-server }") },
    tells: ['configs/essay.yaml', 'unknown invoker "my-server"', 'simulated'],
  },
  {
    mistake: 'a prompt with broken front matter',
    files: { 'prompts/writer.md': '---\ndescription: [\n---\nYou write.' },
    tells: ['prompts/writer.md'],
  },
  {
    mistake: 'a manifest that is no TOML',
    files: { 'lllm.toml': '[package\nname = demo' },
    tells: ['lllm.toml:1:9: '],
  },
]

describe('a mistake in the package stops the start, and one message says where it is and what is known', () => {
  test.each(mistakes)('$mistake', async ({ files, tells }) => {
    const message = await refusalInProcess(await writePackage({ ...sound, ...files }))
    for (const part of tells) expect(message).toMatch(part)
  })

  test('the process ends with the exit code 1 and the message', async () => {
    const folder = await writePackage({ ...sound, 'tactics/essay.ts': 'export default class {{\n' })
    expect(await refusal({ folder })).toMatch(/tactics\/essay\.ts: It could not be loaded: .*essay\.ts:1\)\n$/)
  })
})

describe('a mistake in the settings stops the start, and the message names the variable', () => {
  test('several variables are told at once, and secrets are not shown', async () => {
    const message = await refusal({ env: { LLLM_PORT: 'http', LLLM_GRACE_MS: '-1', OPENAI_API_KEY: 'sk 42' } })
    expect(message).toMatch('LLLM_PORT must be a whole number from 0 to 65535, not "http".')
    expect(message).toMatch('LLLM_GRACE_MS')
    expect(message).toMatch('OPENAI_API_KEY')
    expect(message).not.toMatch('sk 42')
  })

  test('a manifest that is not there', async () => {
    expect(await refusalInProcess('/', { LLLM_CONFIG: '/no/such/lllm.toml' })).toMatch('/no/such/lllm.toml')
  })

  test('prices that cannot be read, and prices that are none', async () => {
    const folder = await writePackage({ ...sound, 'prices.yaml': 'gpt-4o: { input: 2.5 }' })
    const messageFor = (LLLM_PRICES: string) => refusalInProcess(folder, { LLLM_PRICES })
    expect(await messageFor('/no/prices.yaml')).toMatch(/LLLM_PRICES.*\/no\/prices\.yaml/)
    expect(await messageFor(join(folder, 'prices.yaml'))).toMatch(/prices\.yaml.*gpt-4o.*input_per_mtok/)
  })

  test('a database that is a folder, and one that is another file', async () => {
    const folder = await writePackage({ ...sound, 'notes.txt': 'This is no database. '.repeat(100) })
    for (const LLLM_DATABASE of [folder, join(folder, 'notes.txt')]) {
      expect(await refusalInProcess(folder, { LLLM_DATABASE })).toMatch(`The database ${LLLM_DATABASE}: `)
    }
  })

  test('a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void other.close())
    await new Promise((resolve) => other.once('listening', resolve))
    const { port } = other.address() as AddressInfo
    const { code, stderr } = await spawnProcess({ env: { LLLM_PORT: String(port) } }).exited
    expect(code).toBe(1)
    expect(stderr).toMatch(`127.0.0.1, port ${port}: something else listens there already. Set LLLM_PORT`)
  })
})
