import { z } from 'zod'
import { sessionStates } from '../../domain/session.ts'
import { cost, count } from './cost-schemas.ts'
import { time } from './session-schemas.ts'

/** What a stream tells before its end, as the data of events: see `event-record.ts`. */

const place = {
  session_id: z.string().describe('The session of the tactic in which it happens.'),
  path: z.array(z.string()).describe('The names of the tactics from the root to this one.'),
}
const agentPlace = {
  ...place,
  call_id: z.string().describe('Which respond() it belongs to.'),
  agent: z.string(),
  dialog: z.string(),
}
const toolPlace = { ...agentPlace, tool_call_id: z.string(), tool: z.string() }
const state = z.enum(sessionStates)

export const sessionStarted = z
  .object({ ...place, tactic: z.string(), started_at: time, simulated: z.boolean() })
  .describe('`session.started`: the call has begun.')

export const tacticStarted = z
  .object({ ...place, tactic: z.string(), parent_id: z.string().describe('The session of the tactic that called it.') })
  .describe('`tactic.started`: a sub-tactic was called.')

export const tacticCompleted = z
  .object({ ...place, tactic: z.string(), parent_id: z.string(), state, cost })
  .describe('`tactic.completed`: a sub-tactic has ended, with what it and those below it cost.')

export const agentStarted = z.object(agentPlace).describe('`agent.started`: an agent was asked to respond.')

export const agentDelta = z
  .object({
    ...agentPlace,
    step: count.describe('Round of tool calls, from 0.'),
    attempt: count.describe('Try within the step, from 0. A higher one means that what came before was not used.'),
    text: z.string(),
  })
  .describe('`agent.delta`: a piece of a reply.')

export const agentCompleted = z
  .object({ ...agentPlace, state, cost })
  .describe('`agent.completed`: an agent has responded, or failed to.')

export const toolStarted = z
  .object({ ...toolPlace, arguments: z.string().describe('As the model wrote them.') })
  .describe('`tool.started`: a tool runs.')

export const toolCompleted = z
  .object({ ...toolPlace, result: z.string().describe('What the model was told.'), error: z.string().nullable() })
  .describe('`tool.completed`: a tool has ended.')

export const progress = z
  .object({ ...place, data: z.unknown() })
  .describe("`progress`: what the tactic's author tells. It is left out while the reader is far behind.")

export const streamEnd = z.object({ end: z.literal(true) }).describe('`end`: the last event.')
