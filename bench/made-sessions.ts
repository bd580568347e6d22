import type { Cost } from '../src/domain/cost.ts'
import type { CostLine } from '../src/domain/cost-report.ts'
import type { SessionState } from '../src/domain/session.ts'
import { defaultTenant } from '../src/domain/tenant.ts'
import type { StoredSession } from '../src/stores/stored-session.ts'

export const dayMs = 86_400_000
/** Over how many days sessions are spread, the last of which ends now. */
export const spanDays = 60

const tactics = ['summarizer', 'researcher', 'translator', 'classifier', 'reviewer', 'planner', 'extractor', 'chat']
const agents = ['writer', 'editor', 'critic']
const models = ['small', 'medium', 'large', 'large-fallback']
const teams = ['red', 'blue', 'green', 'gold', 'grey', 'pink', 'teal', 'plum']
const customersMax = 1_000
const sentence = 'Bees dance to tell each other where flowers are. '

/** The same numbers in each run, from 0 up to 1. */
function createRandom(): () => number {
  let state = 0x2545_f491
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** Sessions in the order of their start, spread evenly over the days before `untilMs`. */
export function* makeSessions(count: number, untilMs: number): Generator<StoredSession> {
  const random = createRandom()
  const pick = (texts: readonly string[]) => texts[Math.floor(random() * texts.length)] ?? ''
  for (let index = 0; index < count; index++) {
    const startedAtMs = Math.floor(untilMs - ((count - index) / count) * spanDays * dayMs)
    const tactic = pick(tactics)
    const model = pick(models)
    const lines = agents.slice(0, 1 + Math.floor(random() * agents.length)).map((agent, place): CostLine => {
      // Now and then a sub-tactic spends, on another model.
      const isSub = place > 0 && random() < 0.1
      const spender = isSub ? 'helper' : tactic
      return {
        tactic: spender,
        tacticId: `bench::${spender}`,
        agent,
        model: isSub ? 'small' : model,
        llmCalls: 1 + Math.floor(random() * 3),
        cost: makeCost(random),
      }
    })
    const tags = { team: pick(teams), env: random() < 0.9 ? 'live' : 'test', customer: `c${index % customersMax}` }
    const id = idAt(startedAtMs, index)
    const text = sentence.repeat(20 + Math.floor(random() * 20))
    yield {
      tenant: defaultTenant,
      summary: {
        id,
        tactic,
        tacticId: `bench::${tactic}`,
        state: stateOf(random()),
        startedAtMs,
        durationMs: 1_000 + Math.floor(random() * 20_000),
        agentCalls: lines.length,
        subTacticCalls: 0,
        llmCalls: lines.reduce((sum, { llmCalls }) => sum + llmCalls, 0),
        cost: sumOf(lines),
        tags,
      },
      lines,
      record: JSON.stringify({ id, tactic, task: text.slice(0, 200), result: text, tags }),
    }
  }
}

function stateOf(chance: number): SessionState {
  if (chance < 0.95) return 'success'
  return chance < 0.99 ? 'failure' : 'cancelled'
}

function makeCost(random: () => number): Cost {
  const promptTokens = 100 + Math.floor(random() * 4_000)
  const completionTokens = 20 + Math.floor(random() * 800)
  const isPriced = random() < 0.99
  return {
    promptTokens,
    cachedPromptTokens: 0,
    completionTokens,
    reasoningTokens: 0,
    totalTokens: promptTokens + completionTokens,
    promptPicoUsd: isPriced ? promptTokens * 2_500_000 : 0,
    completionPicoUsd: isPriced ? completionTokens * 10_000_000 : 0,
    pricedCalls: isPriced ? 1 : 0,
    unpricedCalls: isPriced ? 0 : 1,
  }
}

function sumOf(lines: readonly CostLine[]): Cost {
  const sum = (name: keyof Cost) => lines.reduce((total, { cost }) => total + cost[name], 0)
  return {
    promptTokens: sum('promptTokens'),
    cachedPromptTokens: sum('cachedPromptTokens'),
    completionTokens: sum('completionTokens'),
    reasoningTokens: sum('reasoningTokens'),
    totalTokens: sum('totalTokens'),
    promptPicoUsd: sum('promptPicoUsd'),
    completionPicoUsd: sum('completionPicoUsd'),
    pricedCalls: sum('pricedCalls'),
    unpricedCalls: sum('unpricedCalls'),
  }
}

/** A UUIDv7 of a time, whose random part is a number. */
function idAt(timeMs: number, number: number): string {
  const time = timeMs.toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${number.toString(16).padStart(12, '0')}`
}
