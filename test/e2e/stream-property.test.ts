import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Session } from '../../src/domain/session.ts'
import { type SessionRecord, toSessionRecord } from '../../src/domain/session-record.ts'
import { Stopped } from '../../src/domain/stop.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { listen, openService } from '../http/service.ts'
import { post, readEvents, type StreamEvent } from '../http/stream-client.ts'
import { house } from '../support/house.ts'
import { playedModel } from './support/played-model.ts'
import { Bottom, Middle, playedPrompt, Top, wildSteps } from './support/played-script.ts'

/** A service around an engine whose calls the model itself can stop. */
async function openPlay() {
  let stopper = new AbortController()
  const model = playedModel((reason) => stopper.abort(new Stopped(reason)))
  const { engine, stored } = house({
    tactics: [Top, Middle, Bottom],
    invokers: [model],
    global: { invoker: 'played', max_exception_retry: 1, max_llm_recall: 1, max_interrupt_steps: 2 },
    systemPrompts: { writer: playedPrompt, editor: playedPrompt },
  })
  const stoppable: Engine = {
    ...engine,
    execute: (call, options = {}) => {
      stopper = new AbortController()
      const signals = options.signal === undefined ? [] : [options.signal]
      return engine.execute(call, { ...options, signal: AbortSignal.any([...signals, stopper.signal]) })
    },
  }
  const url = await listen(await openService({ engine: () => stoppable }))
  return {
    async stream(task: unknown) {
      const events = await readEvents(await post(`${url}/tactics/top/stream`, { task }))
      const session: Session | undefined = stored.splice(0).at(-1)
      if (session === undefined) throw new Error('No session was kept.')
      return { events, session: toSessionRecord(session) }
    },
  }
}

/** A session and all below it. */
function treeOf(session: SessionRecord): readonly SessionRecord[] {
  return [session, ...session.sub_sessions.flatMap((child) => treeOf(child as SessionRecord))]
}

function expectOrder(events: readonly StreamEvent[]) {
  expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1))
  expect(events[0]?.name).toBe('session.started')
  const terminal = events.filter(({ name }) => name === 'result' || name === 'error')
  expect(terminal).toEqual([events.at(-2)])
  expect(events.at(-1)).toMatchObject({ name: 'end', data: { end: true } })
}

/** What may be open while something happens, from the innermost to the outermost: nothing outlives what it is a part of. */
function expectNesting(events: readonly StreamEvent[]) {
  const open = new Set<unknown>()
  const begin = (id: unknown) => {
    expect(open.has(id)).toBe(false)
    open.add(id)
  }
  const end = (id: unknown) => expect(open.delete(id)).toBe(true)
  for (const { name, data } of events) {
    const { session_id: session, parent_id: parent, call_id: call, tool_call_id: tool } = data
    if (name === 'session.started' || name === 'tactic.started') begin(session)
    if (name === 'agent.started') begin(call)
    if (name === 'tool.started') begin(tool)
    const isTerminal = name === 'result' || name === 'error'
    const needed = [parent, call, tool, isTerminal || name === 'end' ? undefined : session]
    for (const id of needed) if (id !== undefined) expect(open).toContain(id)
    if (name === 'tool.completed') end(tool)
    if (name === 'agent.completed') end(call)
    if (name === 'tactic.completed') end(session)
    // Of all that was begun, only the root is left when it ends.
    if (isTerminal) expect([...open]).toEqual([session])
  }
}

function expectSame(events: readonly StreamEvent[], session: SessionRecord) {
  const told = (name: string) => events.filter((event) => event.name === name).map(({ data }) => data)
  const sortedBy = (key: string, data: readonly object[]) =>
    data.toSorted((left, right) => (String(left[key as never]) < String(right[key as never]) ? -1 : 1))
  const tree = treeOf(session)
  const calls = tree.flatMap(({ id, agent_calls }) => agent_calls.map((call) => ({ ...call, session_id: id })))

  expect(sortedBy('call_id', told('agent.completed'))).toMatchObject(
    sortedBy(
      'call_id',
      calls.map(({ id, session_id, agent, dialog, state, cost }) => {
        return { call_id: id, session_id, agent, dialog, state, cost }
      }),
    ),
  )
  expect(sortedBy('session_id', told('tactic.completed'))).toMatchObject(
    sortedBy(
      'session_id',
      tree.flatMap(({ id: parent_id, sub_sessions }) =>
        (sub_sessions as readonly SessionRecord[]).map(({ id, tactic, state, cost }) => {
          return { session_id: id, parent_id, tactic, state, cost }
        }),
      ),
    ),
  )
  expect(sortedBy('tool_call_id', told('tool.completed'))).toMatchObject(
    sortedBy(
      'tool_call_id',
      calls.flatMap(({ id: call_id, tool_calls }) =>
        tool_calls.map(({ id, name, result, error }) => ({ call_id, tool_call_id: id, tool: name, result, error })),
      ),
    ),
  )
  const [result] = told('result')
  const [error] = told('error')
  const { id: session_id, cost, state } = session
  if (state === 'success') expect(result).toMatchObject({ session_id, result: session.result, cost_usd: cost.cost_usd })
  else expect(error).toMatchObject({ session_id, code: session.error?.code, cost_usd: cost.cost_usd })
}

/** The pieces that were told of a reply are the reply that was recorded, and the last one of a call is what it delivered. */
function expectTexts(events: readonly StreamEvent[], session: SessionRecord) {
  const texts = new Map<string, string>()
  const keyOf = (call: unknown, step: unknown, attempt: unknown) => `${call} ${step} ${attempt}`
  for (const { name, data } of events) {
    if (name !== 'agent.delta') continue
    const key = keyOf(data['call_id'], data['step'], data['attempt'])
    texts.set(key, (texts.get(key) ?? '') + data['text'])
  }
  for (const { id, llm_calls, delivery } of treeOf(session).flatMap(({ agent_calls }) => agent_calls)) {
    const replies = llm_calls.map(({ step, attempt, response }) => {
      const text = texts.get(keyOf(id, step, attempt)) ?? ''
      texts.delete(keyOf(id, step, attempt))
      expect(text).toBe(response?.message.content ?? '')
      return text
    })
    if (delivery !== null) expect(replies.at(-1)).toBe(delivery.content)
  }
  expect([...texts.keys()]).toEqual([])
}

test('whatever a tactic does, its stream ends once, is in order, and tells the same as its session', async () => {
  const { stream } = await openPlay()
  await fc.assert(
    fc.asyncProperty(wildSteps, async (steps) => {
      const { events, session } = await stream(steps)
      expectOrder(events)
      expectNesting(events)
      expectSame(events, session)
      expectTexts(events, session)
    }),
    { numRuns: 300 },
  )
})
