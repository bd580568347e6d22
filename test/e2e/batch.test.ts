import { describe, expect, test } from 'vitest'
import {
  hang,
  type ProviderRequest,
  type ScriptedProvider,
  type ScriptLine,
  says,
  status,
} from '../support/scripted-provider.ts'
import { replyUsd, scripted, startService, usage } from './support/service.ts'

type Respond = (request: ProviderRequest, provider: ScriptedProvider) => ScriptLine | Promise<ScriptLine>

/** A script that may look at its own provider. */
async function serveBatch(respond: Respond, env: Readonly<Record<string, string>> = {}) {
  const provider: ScriptedProvider = await scripted((request) => respond(request, provider))
  return { provider, service: await startService({ provider, env }) }
}

const makeTasks = (count: number) => Array.from({ length: count }, (_, index) => `task ${index}`)
const taskOf = ({ lastText }: ProviderRequest) => /task \d+/.exec(lastText)?.[0] ?? ''
const about = (task: string) => `About ${task}.`

describe('a batch of 1,000 tasks with 50 workers', () => {
  const workers = 50

  test('keeps 50 requests in flight, never more, and answers in the order of its tasks', async () => {
    let waiting: (() => void)[] = []
    const { provider, service } = await serveBatch(async (request) => {
      // Fifty at a time are held back and then answered in the reverse order.
      await new Promise<void>((resolve) => {
        waiting.push(resolve)
        if (waiting.length < workers) return
        for (const release of waiting.toReversed()) release()
        waiting = []
      })
      return says(about(taskOf(request)), { usage })
    })
    const tasks = makeTasks(1_000)
    const { status: answered, body } = await service.batch('summarizer', tasks, { max_workers: workers })
    expect(answered).toBe(200)
    expect(body.items.map(({ index, result }) => ({ index, result }))).toEqual(
      tasks.map((task, index) => ({ index, result: about(task) })),
    )
    expect(body.counts).toEqual({ success: 1_000, failure: 0, cancelled: 0, skipped: 0 })
    expect(body.cost_usd).toBe(1_000 * replyUsd)
    expect(provider.inFlightMax).toBe(workers)
    expect(provider.requests).toHaveLength(1_000)
    expect(new Set(body.items.map(({ session_id: id }) => id)).size).toBe(1_000)
  })
})

describe('a task that fails', () => {
  const failTask2: Respond = (request) =>
    taskOf(request) === 'task 2' ? status(400) : says(about(taskOf(request)), { usage })

  test('is one failed item among the results of the others', async () => {
    const { service } = await serveBatch(failTask2)
    const more = { tags: { run: 'nightly' }, return_sessions: 'summary' }
    const { status: answered, body } = await service.batch('researcher', makeTasks(5), more)
    expect(answered).toBe(200)
    expect(body.counts).toEqual({ success: 4, failure: 1, cancelled: 0, skipped: 0 })
    expect(body.items.map(({ status: state, cost_usd: cost }) => [state, cost])).toEqual([
      ['success', 2 * replyUsd],
      ['success', 2 * replyUsd],
      ['failure', 0],
      ['success', 2 * replyUsd],
      ['success', 2 * replyUsd],
    ])
    expect(body.items[2]).toMatchObject({
      error: { code: 'provider-rejected', status: 502, retryable: false },
      session: { state: 'failure', llm_calls: 1 },
    })
    expect(body.items[2]).not.toHaveProperty('result')
    expect(body.cost_usd).toBe(8 * replyUsd)

    expect(await service.session(body.items[2]?.session_id)).toMatchObject({
      state: 'failure',
      tags: { run: 'nightly' },
    })
    const costs = await service.get('/costs?group_by=tag.run')
    expect(costs.body).toMatchObject({ data: [{ 'tag.run': 'nightly', sessions: 5, cost_usd: 8 * replyUsd }] })
  })

  test('ends the batch with fail_fast: what is under way is closed, and nothing further is begun or paid', async () => {
    const { provider, service } = await serveBatch(async (request, own) => {
      if (taskOf(request) !== 'task 1') return hang()
      await own.until(({ inFlight }) => inFlight === 4)
      return status(400)
    })
    const { status: answered, body } = await service.batch('summarizer', makeTasks(200), {
      max_workers: 4,
      fail_fast: true,
    })
    expect(answered).toBe(200)
    expect(body.counts).toEqual({ success: 0, failure: 1, cancelled: 3, skipped: 196 })
    expect(body.items.slice(0, 5).map(({ status: state, error }) => [state, error?.code])).toEqual([
      ['cancelled', 'cancelled'],
      ['failure', 'provider-rejected'],
      ['cancelled', 'cancelled'],
      ['cancelled', 'cancelled'],
      ['skipped', 'skipped'],
    ])
    expect(body.items[4]).toMatchObject({ session_id: null, cost_usd: 0 })
    await provider.until(({ aborted }) => aborted === 3)
    expect(provider.requests).toHaveLength(4)
  })

  test('with fail_fast keeps what others had finished before', async () => {
    const { provider, service } = await serveBatch(failTask2)
    const { body } = await service.batch('summarizer', makeTasks(50), { max_workers: 1, fail_fast: true })
    expect(body.counts).toEqual({ success: 2, failure: 1, cancelled: 0, skipped: 47 })
    expect(body.cost_usd).toBe(2 * replyUsd)
    expect(provider.requests).toHaveLength(3)
  })
})

describe('a batch that cannot begin', () => {
  const refuse = async (tactic: string, tasks: readonly unknown[], more = {}, env = {}) => {
    const { provider, service } = await serveBatch(() => 'never asked', env)
    const answer = await service.batch(tactic, tasks, more)
    expect(provider.requests).toEqual([])
    expect((await service.get('/sessions')).body).toMatchObject({ data: [] })
    return {
      answered: answer.status,
      code: answer.body.code,
      pointers: answer.body.errors?.map(({ pointer }) => pointer),
    }
  }

  test('because of tasks that do not fit spends nothing, and tells all of them', async () => {
    const tasks = [{ code: 'x = 1' }, { code: '' }, { code: 'y = 2' }, { language: 'c' }, 'just text']
    expect(await refuse('code_review', tasks)).toEqual({
      answered: 422,
      code: 'invalid-task',
      pointers: ['/tasks/1/code', '/tasks/3/code', '/tasks/4'],
    })
  })

  test.each([
    ['no tasks', [], {}, ['/tasks']],
    ['more tasks than allowed', makeTasks(11), {}, ['/tasks']],
    ['no workers', makeTasks(1), { max_workers: 0 }, ['/max_workers']],
    ['more workers than allowed', makeTasks(1), { max_workers: 6 }, ['/max_workers']],
    ['half a worker', makeTasks(1), { max_workers: 1.5 }, ['/max_workers']],
    ['a member that is not known', makeTasks(1), { failfast: true }, ['/failfast']],
  ])('because it has %s is told so', async (_name, tasks, more, pointers) => {
    const env = { LLLM_BATCH_TASKS_MAX: '10', LLLM_BATCH_WORKERS_MAX: '5' }
    expect(await refuse('summarizer', tasks, more, env)).toEqual({
      answered: 422,
      code: 'invalid-request',
      pointers,
    })
  })
})

describe('a batch that is stopped', () => {
  test('because its client went away closes its requests, and begins nothing further', async () => {
    const { provider, service } = await serveBatch(() => hang())
    const client = new AbortController()
    const answer = service.batch('researcher', makeTasks(100), { max_workers: 10 }, client.signal)
    await provider.until(({ inFlight }) => inFlight === 10)
    client.abort()
    await expect(answer).rejects.toThrow()
    await provider.until(({ aborted }) => aborted === 10)

    const listed = () => service.get<{ readonly data: object[] }>('/sessions?state=cancelled')
    await expect.poll(async () => (await listed()).body.data.length, { timeout: 10_000 }).toBe(10)
    const [first] = (await listed()).body.data as readonly { readonly id: string }[]
    expect(await service.session(first?.id)).toMatchObject({
      end_reason: 'client-closed',
      error: { code: 'client-closed-request' },
      // It was sent, so it may be billed: that is not the same as free.
      cost: { cost_usd: null, unpriced_calls: 1 },
    })
    expect(provider.requests).toHaveLength(10)
  })

  test('because its time is up gives what it has', async () => {
    const { provider, service } = await serveBatch((request) =>
      taskOf(request) === 'task 0' ? says('In time.', { usage }) : hang(),
    )
    // The first call of all takes longer, because it loads the SDK.
    await service.call('summarizer', 'task 0')
    const { status: answered, body } = await service.batch('summarizer', makeTasks(20), {
      max_workers: 2,
      timeout_ms: 400,
    })
    expect(answered).toBe(200)
    expect(body.counts).toEqual({ success: 1, failure: 0, cancelled: 2, skipped: 17 })
    expect(body.items[0]).toMatchObject({ status: 'success', result: 'In time.' })
    expect(body.items[1]?.error).toMatchObject({ code: 'deadline-exceeded', status: 504 })
    await provider.until(({ aborted }) => aborted === 2)
    expect(provider.requests).toHaveLength(4)
  })
})
