import { describe, expect, test } from 'vitest'
import { manifest } from '../packages/package-folder.ts'
import { says } from '../support/scripted-provider.ts'
import { writePackage } from './support/package.ts'
import { conversations, serve } from './support/service.ts'

const needs = (name: string, packages: readonly string[], more = '') =>
  manifest(name, `[dependencies]\npackages = ${JSON.stringify(packages)}\n${more}`)

/** A tactic of one agent, which is asked with a prompt if a path is given. */
const tactic = (name: string, prompt?: string) => `import { Tactic } from 'lllm'
export default class extends Tactic({ name: '${name}', agents: ['writer'] }) {
  async call(task) {
    const dialog = this.agents.writer.open('talk')
    ${prompt === undefined ? 'dialog.receive(task)' : `dialog.receivePrompt('${prompt}', { task })`}
    return (await dialog.respond()).content
  }
}
`
const agent = (line: string, global = 'global: { model_name: gpt-4o }\n') =>
  `${global}agent_configs: [{ name: writer, ${line} }]\n`

async function serveProject(files: Readonly<Record<string, string>>) {
  const folder = await writePackage(files)
  const { provider, service } = await serve(() => says('fine'), { folder })
  const call = async (name: string, more = {}) => {
    const { body } = await service.call(name, 'bees', more)
    const sent = conversations(provider).at(-1)
    return { ...body, sent }
  }
  return { service, provider, call }
}

/** A toolkit that speaks of its own things by their bare names, and of those of a package that only it needs. */
const toolkit = {
  'libs/toolkit/lllm.toml': needs('toolkit', ['../phrases as ph'], '[assets]\npaths = ["files/"]\n'),
  'libs/toolkit/tactics/report.ts': tactic('report', 'ask'),
  'libs/toolkit/configs/report.yaml': agent('system_prompt_path: writer'),
  'libs/toolkit/configs/borrowed.yaml': agent('system_prompt_path: "ph:polite"'),
  'libs/toolkit/prompts/writer.md': "The toolkit's writer.",
  'libs/toolkit/prompts/ask.md': 'Report on {task}.',
  'libs/toolkit/files/terms.txt': 'hive, comb',
  'libs/phrases/lllm.toml': manifest('phrases'),
  'libs/phrases/prompts/polite.md': 'Be polite.',
}

describe("a package's own names mean its own things", () => {
  test('though the served package has others of the same names', async () => {
    const { call } = await serveProject({
      ...toolkit,
      'lllm.toml': needs('root', ['./libs/toolkit as tk']),
      'tactics/own.ts': tactic('own', 'ask'),
      'configs/own.yaml': agent('system_prompt_path: writer'),
      'prompts/writer.md': "The root's writer.",
      'prompts/ask.md': 'The root asks for {task}.',
    })
    expect((await call('report')).sent).toEqual(["developer: The toolkit's writer.", 'user: Report on bees.'])
    expect((await call('own')).sent).toEqual(["developer: The root's writer.", 'user: The root asks for bees.'])
  })

  test.each([
    ['toolkit:writer', "The toolkit's writer."],
    ['toolkit.prompts:writer', "The toolkit's writer."],
    ['tk:writer', "The toolkit's writer."],
    ['tk.prompts:writer', "The toolkit's writer."],
    ['root:writer', "The root's writer."],
    ['phrases:polite', 'Be polite.'],
    ['ask', 'Report on bees.'],
  ])('and those of others are reached by %s', async (path, text) => {
    const { call } = await serveProject({
      ...toolkit,
      'lllm.toml': needs('root', ['./libs/toolkit as tk']),
      'tactics/own.ts': tactic('own', path),
      'configs/own.yaml': agent('system_prompt: S.'),
      'prompts/writer.md': "The root's writer.",
    })
    expect((await call('own')).sent).toEqual(['developer: S.', `user: ${text}`])
  })

  test('also in a config that another package is based on', async () => {
    const { call } = await serveProject({
      ...toolkit,
      'lllm.toml': needs('root', ['./libs/toolkit as tk']),
      'tactics/own.ts': tactic('own'),
      'tactics/other.ts': tactic('other'),
      'configs/own.yaml': 'base: "tk:report"\nglobal: { model_args: { temperature: 0.5 } }\n',
      'configs/other.yaml': 'base: "toolkit.configs:borrowed"\n',
      'prompts/writer.md': "The root's writer.",
      'prompts/polite.md': "The root's politeness.",
    })
    expect((await call('own')).sent?.[0]).toBe("developer: The toolkit's writer.")
    expect((await call('other')).sent?.[0]).toBe('developer: Be polite.')
  })
})

describe('the tactics of all packages are served', () => {
  const project = {
    'lllm.toml': needs('root', ['./libs/toolkit as tk']),
    ...toolkit,
    'tactics/report.ts': tactic('report'),
    'configs/report.yaml': agent('system_prompt: The report of the root.'),
    'lllm_packages/more/lllm.toml': manifest('extras'),
    'lllm_packages/more/tactics/extra.ts': tactic('extra'),
    'lllm_packages/more/configs/extra.yaml': agent('system_prompt: An extra.'),
  }

  test('and two of one name are told apart by their package, or its alias', async () => {
    const { call, service } = await serveProject(project)
    expect((await call('report')).sent?.[0]).toBe('developer: The report of the root.')
    expect((await call('root::report')).sent?.[0]).toBe('developer: The report of the root.')
    for (const name of ['toolkit::report', 'tk::report']) {
      const { sent, session_id } = await call(name)
      expect(sent?.[0]).toBe("developer: The toolkit's writer.")
      expect(await service.session(session_id)).toMatchObject({ tactic: 'report', tactic_id: 'toolkit::report' })
    }
    for (const name of ['extra', 'extras::extra', 'more::extra']) {
      expect((await call(name)).sent?.[0]).toBe('developer: An extra.')
    }
  })

  test('and an unknown one is answered with those that are known, by the names that find them', async () => {
    const { service } = await serveProject(project)
    const { status, body } = await service.call('toolkit::reprot', 'bees')
    expect(status).toBe(404)
    expect(body.detail).toContain('Did you mean "toolkit::report"? Known: extra, report, toolkit::report.')
  })

  test('with configs that the served package has for them', async () => {
    const { call, service } = await serveProject({
      ...project,
      'configs/vendored/loud.yaml': 'base: "tk:report"\ntactic_type: tk:report\nglobal: { system_prompt: Be loud. }\n',
      'configs/vendored.yaml': `tactic_type: toolkit::report\n${agent('system_prompt: Be loud.')}`,
    })
    const { body } = await service.get<{ readonly configs: readonly string[] }>('/tactics/toolkit::report')
    expect(body.configs).toEqual(['default', 'vendored', 'vendored/loud'])
    expect((await call('tk::report', { config: 'vendored' })).sent?.[0]).toBe('developer: Be loud.')
    expect((await call('tk::report')).sent?.[0]).toBe("developer: The toolkit's writer.")
  })

  test('with no configs that a mere dependency has for them', async () => {
    const { service } = await serveProject({
      ...project,
      'libs/toolkit/configs/meddling.yaml': `tactic_type: phrases::talk\n${agent('system_prompt: Meddle.')}`,
      'libs/phrases/tactics/talk.ts': tactic('talk'),
      'libs/phrases/configs/talk.yaml': agent('system_prompt: Talk.'),
    })
    const { body } = await service.get<{ readonly configs: readonly string[] }>('/tactics/talk')
    expect(body.configs).toEqual(['default'])
  })

  test('as sub-tactics of one another, with their own configs and prompts', async () => {
    const { call, service } = await serveProject({
      ...project,
      'tactics/chief.ts': `import { Tactic } from 'lllm'
import Report from '../libs/toolkit/tactics/report.ts'
export default class extends Tactic({ name: 'chief', tactics: { report: Report } }) {
  async call(task) { return this.tactics.report(task) }
}
`,
    })
    const { sent, session_id } = await call('chief')
    expect(sent).toEqual(["developer: The toolkit's writer.", 'user: Report on bees.'])
    expect((await service.session(session_id)).sub_sessions).toMatchObject([{ tactic_id: 'toolkit::report' }])
  })
})

describe('files of a section that a package has named', () => {
  const reader = (url: string) => `import { Tactic } from 'lllm'
export default class extends Tactic({ name: 'reader' }) {
  async call() { return this.asset('${url}').text() }
}
`
  test.each(['toolkit.assets:terms.txt', 'tk.assets:terms.txt'])('are read by %s', async (url) => {
    const { call } = await serveProject({
      ...toolkit,
      'lllm.toml': needs('root', ['./libs/toolkit as tk']),
      'tactics/reader.ts': reader(url),
    })
    expect((await call('reader')).result).toBe('hive, comb')
  })

  test('are read by their section in the package itself, each time anew', async () => {
    const { call, service } = await serveProject({
      'lllm.toml': manifest('root', '[assets]\npaths = ["files/ under shared", "one.txt"]\n'),
      'files/a/b.txt': 'nested',
      'one.txt': 'one',
      'tactics/reader.ts': reader('assets:shared/a/b.txt'),
    })
    expect((await call('reader')).result).toBe('nested')
    expect(await service.runtime.asset('root.assets:one.txt').text()).toBe('one')
    expect(() => service.runtime.asset('assets:tow.txt')).toThrow('There is no file "tow.txt" in "root.assets".')
    expect(() => service.runtime.asset('asets:one.txt')).toThrow('Did you mean "assets"?')
    expect(() => service.runtime.asset('nope.assets:one.txt')).toThrow('There is no package "nope" here.')
    expect(() => service.runtime.asset('one.txt')).toThrow('say section:path or package.section:path')
  })
})
