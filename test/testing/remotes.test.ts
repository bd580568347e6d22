import { LllmError, remoteTactic, Tactic } from 'lllm'
import { type RemoteAnswer, testRuntime, toTranscript } from 'lllm/testing'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'

const research = remoteTactic('http://192.0.2.1', 'researcher', {
  input: z.object({ topic: z.string(), on: z.date().optional() }),
  output: z.object({ facts: z.array(z.string()), source: z.string().default('unknown') }),
})

class Chief extends Tactic({ name: 'chief', agents: ['writer'], tactics: { research } }) {
  async call(topic: string) {
    const { facts, source } = await this.tactics.research({ topic })
    const text = `${facts.join(', ')} (${source})`
    return (await this.agents.writer.open('write').receive(text).respond()).content
  }
}

async function open(researcher?: RemoteAnswer) {
  const remotes = researcher === undefined ? {} : { researcher }
  const runtime = await testRuntime({ tactics: [Chief], model: 'Written.', remotes })
  return { ...runtime, call: runtime.build(Chief) }
}

describe('what is in the place of a remote tactic', () => {
  test('gets the task, and its result is judged by the schema; its session is a child that cost nothing', async () => {
    const tasks: unknown[] = []
    const { call, model, recordSessions } = await open((task) => {
      tasks.push(task)
      return { facts: ['They dance.'], more: undefined }
    })
    const sessions = recordSessions()
    expect(await call('bees')).toBe('Written.')
    expect(tasks).toEqual([{ topic: 'bees' }])
    expect(model.textsOf('writer')).toEqual(['They dance. (unknown)'])
    expect(sessions).toMatchObject([
      { simulated: false, subSessions: [{ tactic: 'researcher', state: 'success', cost: { unpricedCalls: 0 } }] },
    ])
    expect(sessions.map(toTranscript).join('')).toBe(`tactic chief: success
  task: bees
  tactic researcher: success
    task: {"topic":"bees"}
    result: {"facts":["They dance."]}
  agent writer/write
    system: You are the writer.
    user: They dance. (unknown)
    assistant: Written.
  result: Written.
`)
  })

  test('may fail as a service does, with its own error, or with one that says so', async () => {
    const refusing = await open(() => {
      throw new LllmError('budget-exceeded', 'Enough.')
    })
    await expect(refusing.call('bees')).rejects.toMatchObject({ code: 'budget-exceeded', message: 'Enough.' })
    const broken = await open(() => Promise.reject(new Error('swordfish')))
    const reports = [await broken.call.session('bees'), await refusing.call.session('bees')]
    expect(reports).toMatchObject([
      { ok: false, error: { code: 'remote-failed', cause: { message: 'swordfish' } } },
      {
        ok: false,
        session: { subSessions: [{ state: 'failure', error: { code: 'budget-exceeded' }, agentCalls: [] }] },
      },
    ])
  })

  test('whose result does not fit fails the call, as it would be told of a service', async () => {
    const { call } = await open(() => ({ facts: 'none' }))
    await expect(call('bees')).rejects.toMatchObject({ code: 'invalid-result' })
  })

  test('is stopped with the call', async () => {
    const leaving = new AbortController()
    let given: AbortSignal | undefined
    const { call } = await open((_task, signal) => {
      given = signal
      leaving.abort()
      return new Promise(() => {})
    })
    await expect(call('bees', { signal: leaving.signal })).rejects.toMatchObject({ code: 'cancelled' })
    expect(given?.aborted).toBe(true)
  })

  test('has to be there: where nothing is, the message says what to give', async () => {
    const { call } = await open()
    await expect(call('bees')).rejects.toMatchObject({
      code: 'remote-failed',
      message: expect.stringContaining("give it remotes: { 'researcher': (task) => … }. There are none."),
    })
  })
})
