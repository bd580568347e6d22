import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createServer, loadRuntime } from '../../src/index.ts'
import { says } from '../support/scripted-provider.ts'
import { config, writePackage } from './support/package.ts'
import { replyUsd, scripted, startService, usage } from './support/service.ts'

function tactic(name: string, input = 'z.string()') {
  return `import { Tactic } from 'lllm'
import { z } from 'zod'
export default class extends Tactic({ name: '${name}', description: 'Of ${name}.', agents: ['clerk'], input: ${input} }) {
  async call(task) { return (await this.agents.clerk.open('desk').receive(JSON.stringify(task)).respond()).content }
}
`
}

function files(folder: string, manifest: string, tactics: Readonly<Record<string, string | undefined>>) {
  return Object.fromEntries([
    [join(folder, 'lllm.toml'), manifest],
    ...Object.entries(tactics).flatMap(([name, input]) => [
      [join(folder, `tactics/${name}.ts`), tactic(name, input)],
      [join(folder, `configs/${name}.yaml`), config(name, { clerk: `You work in ${folder || 'the office'}.` })],
    ]),
  ])
}

/** A project that needs one package, which it calls `ft`, and has another one dropped in. All have a tactic `report`. */
function writeProject() {
  return writePackage({
    ...files(
      '',
      '[package]\nname = "office"\nversion = "1.0.0"\n[dependencies]\npackages = ["./shared/finance as ft"]\n',
      {
        report: 'z.object({ title: z.string() })',
      },
    ),
    ...files('shared/finance', '[package]\nname = "finance"\nversion = "2.1.0"\n', {
      report: 'z.object({ year: z.int() })',
      forecast: undefined,
    }),
    ...files('lllm_packages/tools', '[package]\nname = "toolkit"\nversion = "0.3.0"\n', { report: undefined }),
  })
}

async function openProject() {
  const env = { LLLM_DATABASE: ':memory:', LLLM_LOG_LEVEL: 'silent', LLLM_HOME: '/nonexistent' }
  const runtime = await loadRuntime({ folder: await writeProject(), env })
  const server = await createServer(runtime)
  onTestFinished(() => server.close().then(() => runtime.close()))
  const post = (path: string, payload: object) => server.inject({ method: 'POST', url: `/tactics/${path}`, payload })
  return { server, post }
}

describe('the tactics of many packages', () => {
  test('are each reached by package and name, by the alias of the package, and by the bare name if it is theirs', async () => {
    const { server, post } = await openProject()
    const tacticOf = async (path: string, task: unknown) => {
      const answer = await post(path, { task, return_session: true })
      return answer.statusCode === 200 ? answer.json().session.tactic_id : answer.json().code
    }
    const report = { title: 'Costs' }
    expect(await tacticOf('report', report)).toBe('office::report')
    expect(await tacticOf('office::report', report)).toBe('office::report')
    expect(await tacticOf('forecast', 'rain')).toBe('finance::forecast')
    for (const path of ['finance::report', 'ft::report', 'finance%3A%3Areport', 'ft%3a%3areport']) {
      expect(await tacticOf(path, { year: 2026 }), path).toBe('finance::report')
    }
    for (const path of ['toolkit::report', 'tools::report'])
      expect(await tacticOf(path, 'x'), path).toBe('toolkit::report')
    expect(await tacticOf('ft::report', report)).toBe('invalid-task')
    expect(await tacticOf('finance:report', report)).toBe('unknown-tactic')
    expect((await post('finance::reprot', { task: 'x' })).json().detail).toContain('Did you mean "finance::report"?')
    expect((await post('nobody::report', { task: 'x' })).statusCode).toBe(404)

    for (const path of ['finance::report', 'ft::report']) {
      const batch = await post(`${path}/batch`, { tasks: [{ year: 1 }, { year: 2 }] })
      expect(batch.json().counts, path).toMatchObject({ success: 2 })
      expect((await post(`${path}/stream`, { task: { year: 1 } })).body, path).toContain('"path":["report"]')
      const lines = await post(`${path}/batch/stream`, { tasks: [{ year: 1 }] })
      expect(lines.body.trim().split('\n'), path).toHaveLength(2)
      const refused = await server.inject({ method: 'DELETE', url: `/tactics/${path}/batch` })
      expect([refused.statusCode, refused.headers.allow], path).toEqual([405, 'POST'])
    }
  })

  test('are listed with the shortest name that finds them, and why a bare name finds another', async () => {
    const { server } = await openProject()
    const { data } = (await server.inject('/tactics')).json()
    const told = data.map(({ address, id, version, shadowed_by }: Record<string, unknown>) => [
      address,
      id,
      version,
      shadowed_by,
    ])
    expect(told).toEqual([
      ['finance::report', 'finance::report', '2.1.0', 'office::report'],
      ['forecast', 'finance::forecast', '2.1.0', null],
      ['report', 'office::report', '1.0.0', null],
      ['toolkit::report', 'toolkit::report', '0.3.0', 'office::report'],
    ])
    const shown = (await server.inject('/tactics/tools::report')).json()
    expect(shown).toEqual(data[3])
    expect(shown.note).toBe(
      'The name "report" finds office::report, because its package comes first: the served package, then its dependencies in ' +
        'their order, drop-ins of the project, and those of the user. This tactic is found as "toolkit::report".',
    )
    expect(data[1].note).toBeNull()
  })

  test('have paths of their own in the document, each with its types', async () => {
    const { server } = await openProject()
    const { paths, components } = (await server.inject('/openapi.json')).json()
    const calls = Object.keys(paths).filter((path) => /^\/tactics\/[^/{]+$/.test(path))
    expect(calls).toEqual([
      '/tactics/finance::report',
      '/tactics/forecast',
      '/tactics/report',
      '/tactics/toolkit::report',
    ])
    expect(calls.map((path) => paths[path].post.operationId)).toEqual([
      'callFinanceReport',
      'callForecast',
      'callReport',
      'callToolkitReport',
    ])
    expect(components.schemas.FinanceReportTask.properties).toHaveProperty('year')
    expect(components.schemas.ReportTask.properties).toHaveProperty('title')
  })

  test('come from packages that the info tells', async () => {
    const { server } = await openProject()
    expect((await server.inject('/info')).json().packages).toEqual([
      { name: 'office', version: '1.0.0', origin: 'root', aliases: [] },
      { name: 'finance', version: '2.1.0', origin: 'dependency', aliases: ['ft'] },
      { name: 'toolkit', version: '0.3.0', origin: 'project', aliases: ['tools'] },
    ])
  })

  test('are told apart where sessions and costs are looked for', async () => {
    const { server, post } = await openProject()
    await post('report', { task: { title: 'a' } })
    await post('ft::report', { task: { year: 1 } })
    await post('forecast', { task: 'a' })
    const found = async (filter: string) => {
      const { data } = (await server.inject(`/sessions?tactic=${filter}`)).json()
      const { total } = (await server.inject(`/costs?tactic=${filter}`)).json()
      expect(total.sessions, filter).toBe(data.length)
      return data.map(({ tactic_id }: { tactic_id: string }) => tactic_id).sort()
    }
    expect(await found('report')).toEqual(['finance::report', 'office::report'])
    expect(await found('finance::report')).toEqual(['finance::report'])
    expect(await found('ft%3A%3Areport')).toEqual(['finance::report'])
    expect(await found('gone::report')).toEqual([])
    const { data } = (await server.inject('/costs?group_by=tactic_id,agent')).json()
    expect(data.map((row: Record<string, unknown>) => [row['tactic_id'], row['agent'], row['sessions']])).toEqual([
      ['finance::forecast', 'clerk', 1],
      ['finance::report', 'clerk', 1],
      ['office::report', 'clerk', 1],
    ])
  })
})

test('a standing budget holds for all tactics of a name, or for one by its id', async () => {
  const folder = await writeProject()
  const provider = await scripted(() => says('done', { usage }))
  const budgets = await writePackage({
    'budgets.yaml': `budgets:
  - { scope: { tactic: report }, limit_usd: 1, per: day }
  - { scope: { tactic: "finance::report" }, limit_usd: 1, per: day }
`,
  })
  const env = { LLLM_BUDGETS: join(budgets, 'budgets.yaml') }
  const service = await startService({ provider, folder, env })
  await service.call('report', { title: 'a' })
  await service.call('ft::report', { year: 1 })
  await service.call('forecast', 'a')
  const { body } = await service.get<{ data: { spent_usd: number }[] }>('/budgets')
  expect(body.data.map(({ spent_usd }) => spent_usd)).toEqual([2 * replyUsd, replyUsd])
  expect(service.runtime.warnings).toEqual([])
})
