import { type ChatSetup, costUsd, type Emit, isLllmError, loadRuntime, type Runtime, summaryOf } from 'lllm'
import Digest from '../authoring/tactics/digest.ts'
import Summarize from '../authoring/tactics/summarize.ts'
import Headline from '../first/tactics/headline.ts'

export async function callOnce(folder: string) {
  // #region once
  const runtime = await loadRuntime({ folder }) // the folder with lllm.toml; settings come from the environment
  try {
    const summarize = runtime.build(Summarize)
    return await summarize('Bees dance to tell each other where flowers are.')
  } finally {
    await runtime.close() // after what was spent is stored
  }
  // #endregion
}

export function buildInEachWay(runtime: Runtime) {
  // #region build
  const byClass = runtime.build(Summarize) // typed by the class
  const byName = runtime.build('summarize') // by name: unknown in, unknown out
  const withConfig = runtime.build(Headline, {
    global: { model_name: 'gpt-4o-mini' },
    agent_configs: [{ name: 'editor', system_prompt: 'You are a newspaper editor.' }],
  })
  const byType = runtime.build(runtime.resolveConfig('digest')) // by its tactic_type
  // #endregion
  return { byClass, byName, withConfig, byType }
}

export async function reportOn(runtime: Runtime, articles: string[]) {
  // #region session
  const digest = runtime.build(Digest)
  const report = await digest.session({ articles }, { tags: { team: 'news' }, timeoutMs: 60_000 })

  const { session } = report // also of a call that failed
  const spent = { usd: costUsd(session.cost), unpricedCalls: session.cost.unpricedCalls }
  const text = report.ok ? report.result : `${report.error.code}: ${report.error.message}`
  // #endregion
  return { spent, text, summary: summaryOf(session) }
}

export async function summarizeInOrder(runtime: Runtime, articles: readonly string[]) {
  // #region batch
  const summarize = runtime.build(Summarize)
  const settled = await summarize.batch(articles, { maxWorkers: 4, failFast: false })
  return settled.map((item) => (item.status === 'success' ? item.result : item.status))
  // #endregion
}

export async function summarizeAsCompleted(
  runtime: Runtime,
  articles: readonly string[],
  show: (line: string) => void,
) {
  // #region completed
  const summarize = runtime.build(Summarize)
  for await (const item of summarize.asCompleted(articles, { maxWorkers: 4 })) {
    show(`Task ${item.index}: ${item.status === 'success' ? item.result : item.status}`)
  }
  // #endregion
}

export async function follow(runtime: Runtime, text: string, show: (line: string) => void) {
  // #region follow
  const summarize = runtime.build(Summarize)
  const emit: Emit = (event) => {
    if (event.type === 'agent.delta') show(`${event.agent}: ${event.text}`)
  }
  return await summarize(text, { emit })
  // #endregion
}

export async function cancelAfter(runtime: Runtime, text: string, signal: AbortSignal) {
  // #region cancel
  const summarize = runtime.build(Summarize)
  try {
    return await summarize(text, { signal, timeoutMs: 30_000 })
  } catch (error) {
    if (isLllmError(error) && error.code === 'cancelled') return 'cancelled'
    throw error
  }
  // #endregion
}

export async function talk(runtime: Runtime) {
  // #region chat
  const setup: ChatSetup = { model: 'gpt-4o-mini', systemPrompt: 'You are a travel guide.' }
  const answer = await runtime.quick('Is Lisbon hilly?', setup)

  const chat = runtime.chat(setup)
  await chat.send('I have a day in Lisbon.')
  const reply = await chat.send('And if it rains?')
  const { session } = await chat.close() // one session for the whole chat
  // #endregion
  return { answer, reply, session }
}
