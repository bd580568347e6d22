import { LllmError, remoteTactic, Tactic } from 'lllm'
import { describe, expect, test } from 'vitest'
import { costOf } from '../../src/domain/cost.ts'
import type { JournalEntry } from '../../src/domain/journal.ts'
import type { RemoteOutcome, RemoteTactics } from '../../src/domain/remote.ts'
import { RunJournal } from '../../src/engine/run-journal.ts'
import { buildSession } from '../support/sessions.ts'
import { answering, nothingYet, runHouse } from './run-house.ts'

const research = remoteTactic('https://far.example', 'researcher')

class Chief extends Tactic({ name: 'chief', agents: ['writer'], tactics: { research } }) {
  async call(task: string) {
    const facts = String(await this.tactics.research(task))
    return (await this.agents.writer.open('write').receive(facts).respond()).content
  }
}

/** Another service, whose calls cost something. It tells what it was asked. */
function farService(answer: (task: unknown) => 'facts' | LllmError | 'nothing yet') {
  const asked: unknown[] = []
  const remotes: RemoteTactics = {
    async call({ task, signal }): Promise<RemoteOutcome> {
      asked.push(task)
      const result = answer(task)
      if (result === 'nothing yet') {
        const error = await new Promise<LllmError>((resolve) => {
          signal.addEventListener('abort', () => resolve(new LllmError('cancelled', 'It was given up.')), {
            once: true,
          })
        })
        return { ok: false, error, session: null, sessionId: null, cost: costOf(null, null) }
      }
      const session = buildSession({ tactic: 'researcher', task })
      if (result === 'facts') return { ok: true, result, session }
      return { ok: false, error: result, session, sessionId: session.id, cost: session.cost }
    },
    close: async () => {},
  }
  return { remotes, asked }
}

const soon = () => AbortSignal.timeout(10_000)
const callCost = buildSession({}).cost

describe('a run that calls a remote tactic', () => {
  test('does not call it again once it has answered; its session and its cost are there once', async () => {
    const stuck = Promise.withResolvers<void>()
    const far = farService(() => 'facts')
    const before = await runHouse({
      tactics: [Chief],
      model: answering(() => nothingYet, stuck.resolve),
      remotes: far.remotes,
    })
    const { id } = await before.submit('bees')
    await stuck.promise
    await before.runs.drain(0)
    const after = await runHouse({ tactics: [Chief], model: ['Written.'], left: before, remotes: far.remotes })
    expect(await after.runs.wait(id, 10_000, soon())).toMatchObject({
      attempt: 2,
      outcome: { ok: true, result: 'Written.' },
    })
    expect(far.asked).toEqual(['bees'])
    const session = await after.store.get(id)
    expect(session?.sub_sessions).toMatchObject([{ tactic: 'researcher', state: 'success' }])
    expect(session?.sub_sessions[0]?.cost.total_tokens).toBe(callCost.totalTokens)
  })

  test('calls it again where it was stopped, and keeps what that may have cost', async () => {
    const began = Promise.withResolvers<void>()
    let isReady = false
    const far = farService(() => {
      began.resolve()
      return isReady ? 'facts' : 'nothing yet'
    })
    const before = await runHouse({ tactics: [Chief], model: ['Written.'], remotes: far.remotes })
    const { id } = await before.submit('bees')
    await began.promise
    await before.runs.drain(0)
    isReady = true
    const after = await runHouse({ tactics: [Chief], model: ['Written.'], left: before, remotes: far.remotes })
    expect(await after.runs.wait(id, 10_000, soon())).toMatchObject({ outcome: { ok: true } })
    expect(far.asked).toEqual(['bees', 'bees'])
    const { sub_sessions = [] } = (await after.store.get(id)) ?? {}
    expect(sub_sessions.map(({ state, cost }) => [state, cost.unpriced_calls])).toEqual([
      ['success', callCost.unpricedCalls],
      ['cancelled', 1],
    ])
  })

  test('uses a failure again, until somebody resumes it', async () => {
    let isRepaired = false
    const far = farService(() => (isRepaired ? 'facts' : new LllmError('provider-failed', 'It is broken over there.')))
    const { runs, submit, store } = await runHouse({ tactics: [Chief], model: ['Written.'], remotes: far.remotes })
    const { id } = await submit('bees')
    expect(await runs.wait(id, 10_000, soon())).toMatchObject({
      state: 'failure',
      outcome: { error: { code: 'provider-failed', message: 'It is broken over there.' } },
    })
    isRepaired = true
    await runs.resume(id)
    expect(await runs.wait(id, 10_000, soon())).toMatchObject({ outcome: { ok: true, result: 'Written.' } })
    expect(far.asked).toHaveLength(2)
    // The one that failed was paid for.
    const cost = (await store.get(id))?.cost
    expect(cost?.total_tokens).toBeGreaterThanOrEqual(2 * callCost.totalTokens)
  })
})

test('a remote call that was lost with its process is made again, and is in the session as one whose cost is not known', async () => {
  const far = farService(() => 'facts')
  const { engine } = await runHouse({
    tactics: [Chief],
    model: ['Written.', 'Written.', 'Written.'],
    remotes: far.remotes,
  })
  const attempt = async (entries: readonly JournalEntry[]) => {
    const written: JournalEntry[] = []
    const writer = { write: async (more: readonly JournalEntry[]) => void written.push(...more) }
    const call = await engine.prepare(engine.find('chief'), 'bees')
    const run = new RunJournal({ runId: 'run', startedAtMs: 0, createdAtMs: 0, entries, writer })
    const { session } = await engine.execute(call, { run })
    return { session, written: written.filter(({ kind }) => kind === 'remote') }
  }
  const first = await attempt([])
  expect(first.written.map(({ state }) => state)).toEqual(['begun', 'done'])
  const second = await attempt(first.written.slice(0, 1))
  const third = await attempt(second.written.slice(-1))
  expect(far.asked).toHaveLength(2)
  for (const { session } of [second, third]) {
    expect(session.subSessions.map(({ state, cost }) => [state, cost.unpricedCalls])).toEqual([
      ['success', callCost.unpricedCalls],
      ['failure', 1],
    ])
  }
  // What an attempt has no use for is still paid for.
  const fourth = await attempt(second.written.slice(-1).map((entry) => ({ ...entry, key: `${entry.key}0` })))
  expect(fourth.session.subSessions).toHaveLength(3)
})
