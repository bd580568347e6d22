import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { config, writePackage } from '../e2e/support/package.ts'
import { startService } from '../e2e/support/service.ts'
import { manifest, tactic } from '../packages/package-folder.ts'
import { runLllm } from './support/test-shell.ts'

const twoPackages = {
  'lllm.toml': manifest('demo', '[dependencies]\npackages = ["./toolkit as tk"]\n'),
  'tactics/essay.ts': tactic('essay'),
  'configs/essay.yaml': config('essay', { writer: 'Write.' }),
  'configs/essay/pro.yaml': 'base: essay\nglobal: { model_name: gpt-4.1, fallback_models: [gpt-4o-mini] }\n',
  'toolkit/lllm.toml': manifest('toolkit'),
  'toolkit/prompts/style.md': 'Style.',
  'toolkit/tactics/essay.ts': tactic('essay'),
  'toolkit/configs/essay.yaml': 'agent_configs: [{ name: writer, model_name: gpt-4o, system_prompt_path: style }]\n',
  'toolkit/tactics/count.ts': `import { Tactic } from 'lllm'
import { z } from 'zod'
import Essay from './essay.ts'
export default class extends Tactic({
  name: 'count',
  description: 'Counts words.\\nIn any language.',
  tactics: { essay: Essay },
  input: z.object({ text: z.string(), limit: z.int().min(1).max(9).optional() }),
  output: z.int(),
  examples: [{ text: "it's a\\u202e 'test' $HOME" }],
}) {
  async call(task) { return 3 }
}
`,
}

async function inFolder(files: Readonly<Record<string, string>>) {
  const folder = await writePackage(files)
  const env = { LLLM_HOME: join(folder, '.home') }
  const database = join(folder, 'data', 'lllm.db')
  return {
    folder,
    env,
    lllm: (...args: readonly string[]) => runLllm(args, { folder, env, database }),
    hasDatabase: () => existsSync(database),
  }
}

describe('lllm list', () => {
  test('lists the tactics of all packages by their addresses, and opens no database', async () => {
    const { lllm, hasDatabase } = await inFolder(twoPackages)
    const { code, stdout, stderr } = await lllm('list')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe(`TACTIC          PACKAGE  VERSION  AGENTS  CONFIGS      DESCRIPTION
count           toolkit  1.0.0            default      Counts words.
essay           demo     1.0.0    writer  default pro
toolkit::essay  toolkit  1.0.0    writer  default
`)
    expect(hasDatabase()).toBe(false)
  })

  test('gives with --json what the service gives', async () => {
    const { lllm, folder, env } = await inFolder(twoPackages)
    const { stdout } = await lllm('list', '--json')
    const service = await startService({ folder, env })
    expect(JSON.parse(stdout)).toEqual(await (await fetch(`${service.url}/tactics`)).json())
  })

  test('says what is wrong where they cannot be loaded', async () => {
    const { lllm, folder } = await inFolder({ ...twoPackages, 'configs/essay.yaml': 'a: 1' })
    expect(await lllm('list')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(new RegExp(`^lllm: ${folder}/configs/essay\\.yaml: /a is not known\\.`)),
    })
  })

  test('warns beside the list, and says when there is nothing to list', async () => {
    const { lllm } = await inFolder({ 'prompts/only.md': 'Only.' })
    expect(await lllm('list')).toEqual({ code: 0, stdout: '', stderr: 'There are no tactics.\n' })
    expect((await runLllm(['list'], { env: { LLLM_DATABSE: 'x' } })).stderr).toMatch(
      /^warning LLLM_DATABSE is no setting\. Did you mean "LLLM_DATABASE"\?/,
    )
  })
})

describe('lllm show', () => {
  test('shows agents with models and prompts, sub-tactics, schemas, examples and how to call it', async () => {
    const { lllm, folder, hasDatabase } = await inFolder(twoPackages)
    const { code, stdout, stderr } = await lllm('show', 'essay')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe(`essay  demo 1.0.0
${folder}/tactics/essay.ts

Agents
CONFIG   AGENT   MODEL                      INVOKER    PROMPT
default  writer  gpt-4o                     simulated  in the config
pro      writer  gpt-4.1, then gpt-4o-mini  simulated  in the config

Input
{
  "type": "string"
}

Output
{
  "type": "string"
}

Call
curl http://localhost:8080/tactics/essay -H 'content-type: application/json' -d '{"task":"Your task"}'
`)
    expect((await lllm('show', 'count')).stdout).toContain(
      'Sub-tactics\nCONFIG   SUB-TACTIC  TACTIC          WITH CONFIG\ndefault  essay       toolkit::essay  essay\n',
    )
    expect(hasDatabase()).toBe(false)
  })

  test.each(['toolkit::essay', 'tk::essay'])('finds a tactic that is shadowed as %s', async (name) => {
    const { lllm } = await inFolder(twoPackages)
    const { stdout } = await lllm('show', name)
    expect(stdout).toMatch(/^toolkit::essay {2}toolkit 1\.0\.0\nThe bare name "essay" is that of demo::essay\.\n/)
    expect(stdout).toMatch(/default {2}writer {2}gpt-4o .* style$/m)
  })

  test('says where a sub-tactic is that another service has', async () => {
    const { lllm } = await inFolder({
      'tactics/chief.ts': `import { remoteTactic, Tactic } from 'lllm'
const tactics = {
  research: remoteTactic('http://far.example:8080/ai/', 'researcher'),
  review: remoteTactic('https://far.example', 'house::review', { config: 'pro' }),
}
export default class extends Tactic({ name: 'chief', tactics }) {
  async call(task) { return task }
}
`,
    })
    expect((await lllm('show', 'chief')).stdout).toContain(`Sub-tactics
CONFIG   SUB-TACTIC  TACTIC                                    WITH CONFIG
default  research    researcher at http://far.example:8080/ai  its default
default  review      house::review at https://far.example      pro
`)
  })

  test('gives a line for the shell that sends the example as it is, whatever is in it', async () => {
    const { lllm } = await inFolder(twoPackages)
    const { stdout } = await lllm('show', 'count')
    const line = stdout.trimEnd().split('\n').at(-1) ?? ''
    const printed = await promisify(execFile)('sh', ['-c', `curl() { printf '%s\\n' "$@"; }\n${line}`])
    const [url, , , , body = ''] = printed.stdout.split('\n')
    expect(url).toBe('http://localhost:8080/tactics/count')
    expect(JSON.parse(body)).toEqual({ task: { text: "it's a\u202e 'test' $HOME" } })
    expect(stdout).not.toContain('\u202e')
  })

  test('makes a task up where there is no example, and it fits', async () => {
    const { stdout } = await runLllm(['show', 'code_review'])
    expect(stdout).toContain('curl http://localhost:8080/tactics/code_review ')
    const files = {
      ...twoPackages,
      'toolkit/tactics/count.ts': twoPackages['toolkit/tactics/count.ts'].replace(/examples: .*\n/, ''),
    }
    const { lllm } = await inFolder(files)
    const [, body = ''] = /-d '(.*)'$/m.exec((await lllm('show', 'count')).stdout) ?? []
    expect(JSON.parse(body)).toEqual({ task: { text: expect.any(String), limit: expect.any(Number) } })
  })

  test('gives with --json what the service gives', async () => {
    const { lllm, folder, env } = await inFolder(twoPackages)
    const { stdout } = await lllm('show', 'tk::essay', '--json')
    const service = await startService({ folder, env })
    expect(JSON.parse(stdout)).toEqual(await (await fetch(`${service.url}/tactics/toolkit::essay`)).json())
  })

  test('names the likeliest tactic where there is none of that name', async () => {
    const { lllm } = await inFolder(twoPackages)
    expect(await lllm('show', 'esay')).toEqual({
      code: 2,
      stdout: '',
      stderr: 'lllm: There is no tactic "esay". Did you mean "essay"? Known: count, essay, toolkit::essay.\n',
    })
  })
})
