import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { config, writePackage } from '../e2e/support/package.ts'
import { manifest, tactic } from '../packages/package-folder.ts'
import { runLllm } from './support/test-shell.ts'

interface Report {
  readonly ok: boolean
  readonly mistakes: readonly { readonly code: string; readonly file: string | null; readonly message: string }[]
  readonly warnings: readonly string[]
  readonly checked: Readonly<Record<string, number>>
}

/** Checks a package, with the folder left out of what is told. No package of the user's own is there. */
async function check(files: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const folder = await writePackage(files)
  const spec = { folder, env: { LLLM_HOME: join(folder, '.home') } }
  const { code, stdout, stderr } = await runLllm(['check', '--json', ...args], spec)
  expect(stderr).toBe('')
  const report = JSON.parse(stdout.replaceAll(`${folder}/`, '')) as Report
  return { code, ...report, told: report.mistakes.map(({ message }) => message) }
}

/** A tactic with its config, without a mistake. */
const sound = {
  'tactics/essay.ts': tactic('essay'),
  'configs/essay.yaml': config('essay', { writer: 'Write.' }),
}

describe('lllm check', () => {
  test('finds nothing wrong in what is right, and says what it saw', async () => {
    const report = await check({
      ...sound,
      'prompts/used.md': 'Hello',
      'tactics/_shared.ts': 'export const path = "used"',
    })
    expect(report).toMatchObject({
      code: 0,
      ok: true,
      mistakes: [],
      warnings: [],
      checked: { packages: 1, tactics: 1, configs: 1, prompts: 1 },
    })
  })

  test('tells the mistakes of all files at once, each with its file', async () => {
    const report = await check({
      ...sound,
      'configs/house.yaml': 'globl: { model_name: gpt-4o }',
      'configs/broken.yaml': 'global: [',
      'configs/ghost.yaml': config('gost', { writer: 'Write.' }),
      'prompts/bad.md': '---\nhandlers: { exception: "{nothing}" }\n---\nHello',
      'prompts/empty.ts': 'export const answer = 42',
      'tactics/syntax.ts': 'export default class {',
      'tactics/nothing.ts': 'export const answer = 42',
    })
    expect(report.code).toBe(1)
    expect(report.mistakes.map(({ code, file }) => `${code} ${file}`)).toEqual([
      'invalid-config configs/broken.yaml',
      'invalid-prompt prompts/bad.md',
      'invalid-prompt prompts/empty.ts',
      'invalid-tactic tactics/nothing.ts',
      'invalid-tactic tactics/syntax.ts',
      'invalid-config configs/house.yaml',
    ])
    expect(report.told[5]).toContain('configs/house.yaml: /globl is not known. Did you mean "global"?')
  })

  test('tells all mistakes of one config, not the first alone', async () => {
    const { told } = await check({
      'tactics/panel.ts': `import { Tactic } from 'lllm'
export default class extends Tactic({ name: 'panel', agents: ['host', 'guest', 'critic'] }) {
  async call(task) { return task }
}
`,
      'configs/panel.yaml': `agent_configs:
  - { name: host, model_name: gpt-4o, system_prompt_path: hots }
  - { name: guest, model_name: gpt-4o, system_prompt_path: gest }
  - { name: judge, model_name: gpt-4o, system_prompt: Judge. }
  - { name: clerk, model_name: gpt-4o, system_prompt: Write. }
sub_tactics: { research: default }
`,
      'prompts/host.md': 'Host.',
    })
    expect(told).toEqual([
      'configs/panel.yaml: /agent_configs: "host": There is no prompt "hots". Did you mean "host"? Known: host.',
      'configs/panel.yaml: /agent_configs: "guest": There is no prompt "gest". Did you mean "host"? Known: host.',
      'configs/panel.yaml: /sub_tactics: the tactic "panel" has no sub-tactic "research". There are none.',
      'configs/panel.yaml: /agent_configs: the tactic "panel" has no agent "judge". Known: host, guest, critic.',
      'configs/panel.yaml: /agent_configs: the tactic "panel" has no agent "clerk". Known: host, guest, critic.',
      expect.stringContaining(
        'configs/panel.yaml: /agent_configs: the agent "critic" of the tactic "panel" is missing.',
      ),
    ])
  })

  test('looks at every config of a tactic, and at a tactic that has none', async () => {
    const { told } = await check({
      ...sound,
      'configs/essay/pro.yaml': config('essay', { writr: 'Write.' }),
      'tactics/lonely.ts': tactic('lonely'),
      'configs/other.yaml': 'tactic_type: esay',
    })
    expect(told).toEqual([
      expect.stringContaining('configs/other.yaml: /tactic_type: There is no tactic "esay". Did you mean "essay"?'),
      expect.stringContaining('configs/essay/pro.yaml: /agent_configs: the tactic "essay" has no agent "writr".'),
      expect.stringContaining(
        'configs/essay/pro.yaml: /agent_configs: the agent "writer" of the tactic "essay" is missing.',
      ),
      expect.stringContaining('tactics/lonely.ts: the tactic "lonely" has no config: expected configs/lonely.yaml.'),
    ])
  })

  test.each([
    [
      'a base with a mistake is told once, and not of those that build on it',
      {
        'configs/house.yaml': 'max_things: 3',
        'configs/essay.yaml': 'base: house',
        'tactics/essay.ts': tactic('essay'),
      },
      ['configs/house.yaml: /max_things is not known.'],
    ],
    [
      'a base that cannot be read is not missing',
      { 'configs/house.yaml': 'a: [', 'configs/essay.yaml': 'base: house', 'tactics/essay.ts': tactic('essay') },
      ['configs/house.yaml:1:'],
    ],
    [
      'a tactic that cannot be loaded is not unknown to its config',
      { 'tactics/essay.ts': 'throw new Error("not now")', 'configs/essay.yaml': sound['configs/essay.yaml'] },
      ['tactics/essay.ts: It could not be loaded: not now'],
    ],
    [
      'a prompt whose file has a mistake is not unknown',
      {
        'tactics/essay.ts': tactic('essay'),
        'prompts/team.ts': 'export const writer = 1',
        'configs/essay.yaml': 'agent_configs: [{ name: writer, model_name: gpt-4o, system_prompt_path: team/writer }]',
      },
      ['prompts/team.ts: It exports no prompt'],
    ],
    [
      'a sub-tactic’s config that cannot be read is not unknown',
      {
        ...sound,
        'configs/essay/pro.yaml': ': [',
        'tactics/outer.ts': `import { Tactic } from 'lllm'
import Essay from './essay.ts'
export default class extends Tactic({ name: 'outer', tactics: { essay: Essay } }) {
  async call(task) { return task }
}
`,
        'configs/outer.yaml': 'sub_tactics: { essay: essay/pro }',
      },
      ['configs/essay/pro.yaml:1:'],
    ],
  ])('%s', async (_name, files, expected) => {
    const { told } = await check(files)
    expect(told).toEqual(expected.map((beginning) => expect.stringMatching(`^${escapeText(beginning)}`)))
  })

  test('tries the examples of a tactic, and warns of a schema that says nothing', async () => {
    const { told, warnings } = await check({
      'tactics/count.ts': `import { Tactic } from 'lllm'
import { z } from 'zod'
const output = { '~standard': { version: 1, vendor: 'own', validate: (value) => ({ value }) } }
export default class extends Tactic({
  name: 'count',
  input: z.object({ words: z.int().min(1) }),
  output,
  examples: [{ words: 1 }, { words: 0 }],
}) {
  async call(task) { return task }
}
`,
    })
    expect(told).toEqual([
      expect.stringMatching(/^tactics\/count\.ts: example 2 of the tactic "count" does not fit its input: \/words: /),
    ])
    expect(warnings).toEqual([expect.stringContaining('the output schema of the tactic "count" cannot be described')])
  })

  test('warns of configs and prompts that nothing uses, which is no mistake', async () => {
    const { code, warnings } = await check({
      ...sound,
      'configs/base.yaml': 'global: { model_name: gpt-4o }',
      'configs/essay/pro.yaml': `base: base\nagent_configs: [{ name: writer, system_prompt_path: used }]`,
      'configs/stray.yaml': 'global: { model_name: gpt-4o }',
      'prompts/used.md': 'Used.',
      'prompts/asked.md': 'Asked.',
      'prompts/stray.md': 'Stray.',
      'prompts/far/asked.md': 'Asked, too.',
      'prompts/far/named.md': 'Named.',
      'tactics/_ask.ts': "export const ask = (agent) => agent.receivePrompt('asked')",
      // Wherever in the package a module is: tactics may import it.
      'lib/deep/ask.ts': "export const ask = (agent) => agent.receivePrompt(`far/asked`, demo('demo:far/named'))",
      // But not in what is hidden, or was installed: that is somebody else's.
      'lib/node_modules/other/index.js': "export const path = 'stray'",
      '.cache/other.js': "export const path = 'stray'",
    })
    expect(code).toBe(0)
    expect(warnings).toEqual([
      'configs/stray.yaml: The config "stray" is for no tactic, and no other config names it.',
      'prompts/stray.md: The prompt "stray" is named by no config and by no tactic.',
    ])
  })

  test('judges the manifests of all packages, and each package by itself where they cannot be put together', async () => {
    const { told, warnings } = await check({
      ...sound,
      'lllm.toml': manifest('demo', '[dependencies]\npackages = ["./one", "./two"]\n'),
      'one/lllm.toml': '[package]\nname = "One"\nversion = "1.0.0"\n',
      'two/lllm.toml': manifest('two', '[tactic]\npaths = ["x/"]\n'),
      'configs/broken.yaml': 'a: [',
    })
    expect(told).toEqual([
      expect.stringMatching(/^one\/lllm\.toml:2:1: /),
      expect.stringMatching(/^two\/lllm\.toml:4:1: .*\[tactics\]/),
      expect.stringMatching(/^configs\/broken\.yaml:1:/),
    ])
    expect(warnings).toEqual([expect.stringContaining('each was checked by itself')])
  })

  test('judges what packages say of each other', async () => {
    const { told } = await check({
      'lllm.toml': manifest('demo', '[dependencies]\npackages = ["./toolkit as tk"]\n[prompts]\npaths = ["gone/"]\n'),
      'toolkit/lllm.toml': manifest('toolkit'),
      'toolkit/prompts/style.md': 'Style.',
      'tactics/essay.ts': tactic('essay'),
      'configs/essay.yaml': 'agent_configs: [{ name: writer, model_name: gpt-4o, system_prompt_path: "tk:stile" }]',
    })
    expect(told).toEqual([
      'gone/: The manifest names this path, but there is nothing.',
      'configs/essay.yaml: /agent_configs: "writer": There is no prompt "stile" in the package "toolkit". Did you mean "style"? Known: style.',
    ])
  })

  test('says it in words without --json, and ends with 1 only for mistakes', async () => {
    const folder = await writePackage({ ...sound, 'prompts/stray.md': 'Stray.' })
    const spec = { folder, env: { LLLM_HOME: join(folder, '.home') } }
    expect(await runLllm(['check'], spec)).toEqual({
      code: 0,
      stderr: '',
      stdout: `warning  ${folder}/prompts/stray.md: The prompt "stray" is named by no config and by no tactic.
No mistakes, 1 warning in 1 package, 1 tactic, 1 config, 1 prompt.
`,
    })
  })

  test.each([[], ['--static']])(
    'judges the files that settings name, and variables that are wrong %s',
    async (...args) => {
      const folder = await writePackage({
        ...sound,
        'prices.yaml': 'small-1: { input_per_mtok: cheap }\n',
        'budgets.yaml': 'budgets:\n  - { scope: total, limit_usd: -1, per: day }\n',
        'mcp.json': '{ "mcpServers": { "Eyes": { "url": "http://127.0.0.1:1/" } } }',
        'configs/typo.yaml': 'globl: {}',
      })
      const env = {
        LLLM_HOME: join(folder, '.home'),
        LLLM_PRICES: join(folder, 'prices.yaml'),
        LLLM_BUDGETS: join(folder, 'budgets.yaml'),
        LLLM_MCP_CONFIG: join(folder, 'mcp.json'),
        LLLM_PORT: 'many',
        LLLM_LOG_LEVEL: 'loud',
      }
      const { code, stdout, stderr } = await runLllm(['check', '--json', ...args], { folder, env })
      expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
      const { mistakes, checked } = JSON.parse(stdout.replaceAll(`${folder}/`, '')) as Report
      const told = mistakes.map(({ code: kind, message }) => `${kind}: ${message}`)
      expect(told).toEqual([
        'invalid-settings: LLLM_PORT must be a whole number from 0 to 65535, not "many".',
        expect.stringMatching(/^invalid-settings: LLLM_LOG_LEVEL must be /),
        expect.stringMatching(/^invalid-settings: prices\.yaml/),
        expect.stringMatching(/^invalid-settings: mcp\.json/),
        expect.stringMatching(/^invalid-settings: budgets\.yaml.*limit_usd/),
        expect.stringMatching(/^invalid-config: configs\/typo\.yaml: \/globl/),
      ])
      expect(checked).toMatchObject({ packages: 1, configs: 2 })
    },
  )

  test('judges schedules by the tactics that they name, once those are sound', async () => {
    const folder = await writePackage({
      ...sound,
      'schedules.yaml': `schedules:
  - { name: one, tactic: esay, cron: "@daily", task: bees }
  - { name: two, tactic: essay, cron: daily, task: bees }
`,
    })
    const env = { LLLM_HOME: join(folder, '.home'), LLLM_SCHEDULES: join(folder, 'schedules.yaml') }
    const { code, stdout } = await runLllm(['check'], { folder, env })
    expect(code).toBe(1)
    expect(stdout.replaceAll(`${folder}/`, '').split('\n').slice(0, 2)).toEqual([
      expect.stringContaining(
        'mistake  schedules.yaml:2:26: /schedules/0/tactic: There is no tactic "esay". Did you mean "essay"?',
      ),
      expect.stringContaining('mistake  schedules.yaml:3:39: /schedules/1/cron: "daily" is no cron expression'),
    ])
  })

  test('says which file of the settings cannot be read, and warns of a budget for a tactic that is not there', async () => {
    const missing = await runLllm(['check'], { env: { LLLM_PRICES: '/no/such/prices.yaml' } })
    expect(missing.code).toBe(1)
    expect(missing.stdout).toMatch(/^mistake {2}LLLM_PRICES: the file \/no\/such\/prices\.yaml cannot be read/)
    const folder = await writePackage({
      ...sound,
      'budgets.yaml': 'budgets: [{ scope: { tactic: esay }, limit_usd: 1, per: day }]\n',
    })
    const env = { LLLM_HOME: join(folder, '.home'), LLLM_BUDGETS: join(folder, 'budgets.yaml') }
    const { code, stdout } = await runLllm(['check'], { folder, env })
    expect(code).toBe(0)
    expect(stdout).toContain(
      'warning  LLLM_BUDGETS: there is no tactic "esay", so its budget limits nothing. Did you mean',
    )
  })

  test('tells that there is no manifest where LLLM_CONFIG says', async () => {
    const { code, stdout } = await runLllm(['check'], { env: { LLLM_CONFIG: '/no/such/place' } })
    expect(code).toBe(1)
    expect(stdout).toMatch(/^mistake {2}\/no\/such\/place: There is no lllm\.toml, where /)
  })
})

describe('lllm check --static', () => {
  test('runs no code of the package, and finds what can be found without', async () => {
    const files = {
      'tactics/essay.ts': 'globalThis.ranEssay = true\nthrow new Error("It ran.")',
      'prompts/team.ts': 'globalThis.ranTeam = true\nthrow new Error("It ran.")',
      'prompts/bad.md': '---\nparser: 7\n---\nHello',
      'configs/essay.yaml': `agent_configs:
  - { name: writer, system_prompt_path: team/writer }
  - { name: editor, system_prompt_path: tean/writer }
`,
      'configs/typo.yaml': 'tactic_typ: essay',
    }
    const report = await check(files, '--static')
    expect(report).toMatchObject({ code: 1, checked: { tactics: 1, configs: 2 } })
    expect(report.told).toEqual([
      expect.stringMatching(/^prompts\/bad\.md: /),
      expect.stringMatching(/^configs\/typo\.yaml: \/tactic_typ is not known\. Did you mean "tactic_type"\?/),
      expect.stringMatching(/^configs\/essay\.yaml: \/agent_configs: "editor": There is no prompt "tean\/writer"\./),
    ])
    expect(globalThis).not.toHaveProperty('ranEssay')
    expect(globalThis).not.toHaveProperty('ranTeam')
  })
})

function escapeText(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
