import type { Cost } from '../../domain/cost.ts'
import type { Emit } from '../../domain/event.ts'
import { harmless, lastWordsOf } from '../display-text.ts'
import { tellCost, tellCount, tellDuration } from '../look/figures.ts'
import type { Screen, ScreenLine } from './live-view-screen.ts'
import { type AgentRow, LiveState } from './live-view-state.ts'

const redrawEveryMs = 100
/** Before what an agent is doing. */
const indent = ' '.repeat(6)
/** Calls that have ended and are still shown. Those under way are shown first. */
const endedShownMax = 8
const runningShownMax = 12
/** What a token has in characters, roughly: the provider tells the number when the reply is there. */
const charactersPerToken = 4

export interface LiveView {
  readonly emit: Emit
  /** Draws the end of the call, which stays. */
  end(): void
}

/** Shows what happens in a call while it happens. */
export function openLiveView(screen: Screen, tactic: string, now: () => number): LiveView {
  const state = new LiveState(now())
  const redraw = () => screen.draw(drawCall(tactic, state, now(), screen.columns))
  const timer = setInterval(redraw, redrawEveryMs)
  redraw()
  return {
    emit: (event) => state.take(event, now()),
    end() {
      clearInterval(timer)
      screen.draw(drawCall(tactic, state, now(), screen.columns).slice(1))
      screen.leave()
    },
  }
}

/** The call in lines: the sum of it, then its agents, those under way last. */
export function drawCall(tactic: string, state: LiveState, nowMs: number, columns: number): readonly ScreenLine[] {
  const rows = [...state.agents.values()]
  const running = rows.filter((row) => row.state === 'running').slice(0, runningShownMax)
  const ended = rows.filter((row) => row.state !== 'running').slice(-endedShownMax)
  const hidden = state.agentCalls - running.length - ended.length
  const sums = [
    tellDuration(nowMs - state.startedAtMs),
    tellCount(state.agentCalls, 'agent call'),
    ...(state.toolCalls > 0 ? [tellCount(state.toolCalls, 'tool call')] : []),
    tellTokens(state.cost.totalTokens),
    tellCost(state.cost),
  ]
  return [
    { text: `${tactic}: ${sums.join(', ')}`, style: 'bold' },
    ...(hidden > 0 ? [{ text: `  … ${hidden} more`, style: 'dim' } as const] : []),
    ...ended.map((row) => drawEnded(row)),
    ...running.flatMap((row) => drawRunning(row, nowMs, columns)),
  ]
}

function drawEnded({ name, state, startedAtMs, endedAtMs = startedAtMs, cost, toolCalls }: AgentRow): ScreenLine {
  const figures = [tellDuration(endedAtMs - startedAtMs), ...(cost === undefined ? [] : tellFigures(cost))]
  const tools = toolCalls > 0 ? [tellCount(toolCalls, 'tool call')] : []
  if (state === 'success') return { text: `  ✓ ${harmless(name)}: ${[...figures, ...tools].join(', ')}`, style: 'dim' }
  return { text: `  ✗ ${harmless(name)}: ${[state, ...figures, ...tools].join(', ')}`, style: 'red' }
}

function tellFigures(cost: Cost): readonly string[] {
  return [tellTokens(cost.totalTokens), tellCost(cost)]
}

function drawRunning(
  { name, startedAtMs, characters, tail, tools }: AgentRow,
  nowMs: number,
  columns: number,
): readonly ScreenLine[] {
  const tokens = characters === 0 ? [] : [`about ${tellTokens(Math.ceil(characters / charactersPerToken))}`]
  const figures = [tellDuration(nowMs - startedAtMs), ...tokens].join(', ')
  const said = harmless(tail.replaceAll(/\s+/g, ' ').trim())
  return [
    { text: `  › ${harmless(name)}: ${figures}` },
    ...[...tools.values()].map((tool) => ({ text: `${indent}${harmless(tool)}`, style: 'dim' }) as const),
    ...(said === '' || tools.size > 0
      ? []
      : [{ text: `${indent}${lastWordsOf(said, columns - indent.length - 1)}`, style: 'dim' } as const]),
  ]
}

export function tellTokens(count: number): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? 'token' : 'tokens'}`
}
