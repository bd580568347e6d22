import { addCosts, type Cost, noCost } from '../../domain/cost.ts'
import type { AgentPlace, EngineEvent } from '../../domain/event.ts'
import type { SessionState } from '../../domain/session.ts'

/** One `respond()` as it is shown. */
export interface AgentRow {
  /** The tactics below the root that it is in, and its agent: `research/finder`. */
  readonly name: string
  readonly startedAtMs: number
  state: SessionState
  endedAtMs: number | undefined
  /** Characters of its replies so far. */
  characters: number
  /** The end of what it says. */
  tail: string
  toolCalls: number
  /** The tools that are under way, by the ids of their calls. */
  readonly tools: Map<string, string>
  cost: Cost | undefined
}

/** More than any terminal shows. Calls that have ended go first. */
const rowsMax = 200
/** Characters of what an agent says that are kept. */
const tailMax = 400
/** Characters of a tool's arguments that are kept. */
const argumentsMax = 200

/** What is under way in a call, made from its events. Bounded, however long the call is. */
export class LiveState {
  readonly startedAtMs: number
  readonly agents = new Map<string, AgentRow>()
  /** Of the agent calls that have ended. */
  cost: Cost = noCost
  agentCalls = 0
  toolCalls = 0

  constructor(startedAtMs: number) {
    this.startedAtMs = startedAtMs
  }

  take(event: EngineEvent, nowMs: number): void {
    switch (event.type) {
      case 'agent.started':
        this.#add(event, nowMs)
        break
      case 'agent.delta':
        this.#change(event, (row) => {
          row.characters += event.text.length
          row.tail = (row.tail + event.text).slice(-tailMax)
        })
        break
      case 'agent.completed':
        this.cost = addCosts([this.cost, event.cost])
        this.#change(event, (row) => Object.assign(row, { state: event.state, cost: event.cost, endedAtMs: nowMs }))
        break
      case 'tool.started':
        this.toolCalls++
        this.#change(event, (row) => {
          row.toolCalls++
          row.tools.set(event.toolCallId, `${event.tool} ${event.arguments.slice(0, argumentsMax)}`)
        })
        break
      case 'tool.completed':
        this.#change(event, (row) => void row.tools.delete(event.toolCallId))
        break
    }
  }

  #add({ callId, path, agent }: AgentPlace, nowMs: number) {
    this.agentCalls++
    if (this.agents.size >= rowsMax) {
      const [oldest] = this.agents.keys()
      const done = [...this.agents].find(([, { state }]) => state !== 'running')?.[0] ?? oldest
      if (done !== undefined) this.agents.delete(done)
    }
    this.agents.set(callId, {
      name: [...path.slice(1), agent].join('/'),
      startedAtMs: nowMs,
      state: 'running',
      endedAtMs: undefined,
      characters: 0,
      tail: '',
      toolCalls: 0,
      tools: new Map(),
      cost: undefined,
    })
  }

  #change({ callId }: AgentPlace, change: (row: AgentRow) => void) {
    const row = this.agents.get(callId)
    if (row !== undefined) change(row)
  }
}
