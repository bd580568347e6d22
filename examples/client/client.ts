import { setTimeout } from 'node:timers/promises'
import { createClient, LllmFault, LllmProblem } from 'lllm/client'
import type Digest from '../authoring/tactics/digest.ts'
import type Summarize from '../authoring/tactics/summarize.ts'

export async function callOnce(url: string) {
  // #region once
  const client = createClient({ url }) // http://localhost:8080
  const summarize = client.tactic<typeof Summarize>('summarize')

  const { result, session_id, cost_usd } = await summarize.call('Bees dance to tell each other where flowers are.')
  // #endregion
  return { result, session_id, cost_usd }
}

export function makeClient(url: string, key: string) {
  // #region client
  return createClient({
    url,
    headers: { authorization: `Bearer ${key}` },
    timeoutMs: 60_000,
  })
  // #endregion
}

export async function callWithOptions(url: string, signal: AbortSignal) {
  const summarize = createClient({ url }).tactic<typeof Summarize>('summarize')
  // #region options
  const { session } = await summarize.session('A long text.', {
    tags: { team: 'news' },
    metadata: { row: 17 },
    timeoutMs: 30_000,
    budgetUsd: 0.05,
    limits: { llmCalls: 5 },
    signal,
  })
  return `${session.state}: ${session.cost.total_tokens} tokens`
  // #endregion
}

export async function handleErrors(url: string, text: string) {
  const summarize = createClient({ url }).tactic<typeof Summarize>('summarize')
  // #region errors
  try {
    return (await summarize.call(text, { budgetUsd: 0.01 })).result
  } catch (error) {
    if (error instanceof LllmProblem) {
      if (error.code === 'budget-exceeded') return `too expensive: ${error.costUsd} USD spent`
      if (error.retryable) return `later, in ${error.retryAfterMs ?? 1_000} ms`
      return `${error.code}: ${error.detail} (request ${error.requestId})`
    }
    if (error instanceof LllmFault) return `${error.kind}: it ${error.mayHaveRun ? 'may have' : 'has not'} begun`
    throw error // the reason of the signal
  }
  // #endregion
}

export async function callUntilAnswered(url: string, text: string) {
  const summarize = createClient({ url }).tactic<typeof Summarize>('summarize')
  // #region again
  const idempotencyKey = crypto.randomUUID()
  for (let attempt = 0; ; attempt++) {
    try {
      return (await summarize.call(text, { idempotencyKey })).result
    } catch (error) {
      // No answer came, or one that says nothing of the call.
      const isOpen = error instanceof LllmProblem ? error.retryable && !error.sessionId : error instanceof LllmFault
      if (!isOpen || attempt === 5) throw error
      await setTimeout(2_000)
    }
  }
  // #endregion
}

export async function callBatch(url: string, texts: readonly string[]) {
  const summarize = createClient({ url }).tactic<typeof Summarize>('summarize')
  // #region batch
  const { items, counts, cost_usd } = await summarize.batch(texts, { maxWorkers: 4, failFast: false })
  const results = items.map((item) => (item.status === 'success' ? item.result : item.error.code))
  // #endregion
  return { results, counts, cost_usd }
}

export async function streamBatch(url: string, texts: readonly string[], show: (line: string) => void) {
  const summarize = createClient({ url }).tactic<typeof Summarize>('summarize')
  // #region batch-stream
  const stream = summarize.batchStream(texts)
  for await (const item of stream) {
    show(`Task ${item.index}: ${item.status === 'success' ? item.result : item.error.code}`)
  }
  const { counts } = await stream.sums
  // #endregion
  return counts
}

export async function follow(url: string, articles: string[], show: (line: string) => void) {
  const client = createClient({ url })
  // #region stream
  const stream = client.tactic<typeof Digest>('digest').stream({ articles })
  for await (const event of stream) {
    if (event.type === 'agent.delta') show(`${event.path.join('/')} ${event.agent}: ${event.text}`)
    if (event.type === 'tactic.completed') show(`${event.tactic}: ${event.cost.cost_usd} USD`)
  }
  const { result } = await stream.result
  // #endregion
  return result
}

export async function runInBackground(url: string, text: string) {
  const summarize = createClient({ url }).tactic<typeof Summarize>('summarize')
  // #region run
  const run = await summarize.run(text, { priority: 5, budgetUsd: 0.05 }) // stored: from here on it survives
  const ended = await run.wait()
  return ended.state === 'success' ? ended.result : `${ended.error.code}: ${ended.error.message}`
  // #endregion
}

export async function followRun(url: string, id: string, show: (line: string) => void) {
  const client = createClient({ url })
  // #region run-events
  let lastId = 0
  for await (const event of client.runs.handle<typeof Summarize>(id).events({ after: lastId })) {
    lastId = event.id // what has to be remembered in order to go on later, from another program
    if (event.type === 'agent.completed') show(`${event.agent}: ${event.cost.cost_usd} USD`)
    if (event.type === 'result') show(event.result)
    if (event.type === 'error') show(event.problem.detail)
  }
  // #endregion
  return lastId
}

export async function runManyInBackground(url: string, texts: readonly string[], show: (line: string) => void) {
  const summarize = createClient({ url }).tactic<typeof Summarize>('summarize')
  // #region run-batch
  const batch = await summarize.runBatch(texts, { runBudgetUsd: 0.05, tags: { team: 'news' } })
  const { counts } = await batch.wait()
  for await (const run of batch.results()) {
    if (run.status === 'success') show(`Task ${run.index}: ${run.result}`)
  }
  // #endregion
  return counts
}

export async function lookBack(url: string) {
  const client = createClient({ url })
  // #region looking-back
  let tokens = 0
  for await (const session of client.sessions.all({ tactic: 'summarize', tags: { team: 'news' } })) {
    tokens += session.tokens
  }
  const { data, next_cursor } = await client.sessions.list({ state: 'failure', limit: 10 }) // one page
  const { total } = await client.costs({ groupBy: ['tactic', 'day'] })
  // #endregion
  return { tokens, failures: data.length, next_cursor, sessions: total.sessions }
}
