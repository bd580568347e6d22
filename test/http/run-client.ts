import { expect, vi } from 'vitest'
import { never, type ScriptedModel, type TestService } from './service.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: { readonly [member: string]: unknown } & { readonly id: string; readonly code?: string }
}

/** Asks a service for runs, without a socket. */
export function runClient({ server }: TestService, headers: Readonly<Record<string, string>> = {}) {
  async function ask(method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object): Promise<Answer> {
    const answer = await server.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) })
    return { status: answer.statusCode, headers: answer.headers, body: JSON.parse(answer.body || '{}') }
  }
  const post = (url: string, payload?: object) => ask('POST', url, payload)

  return {
    get: (url: string) => ask('GET', url),
    remove: (url: string) => ask('DELETE', url),
    post,
    /** Queues a run and gives its id. */
    async submit(task: unknown = 'hello', more: object = {}, tactic = 'shout'): Promise<string> {
      const { status, body } = await post(`/tactics/${tactic}/runs`, { task, ...more })
      expect(status).toBe(202)
      return body.id
    },
    /** The run, once it has ended. */
    async ended(id: string) {
      const { status, body } = await ask('GET', `/runs/${id}/wait?timeout_ms=15000`)
      expect(status).toBe(200)
      return body
    },
    /** Resolves once a run is in this state. */
    untilState: (id: string, state: string) =>
      vi.waitFor(async () => expect((await ask('GET', `/runs/${id}`)).body).toMatchObject({ state }), { interval: 5 }),
  }
}

/** Has a model answer nothing until it is told to: then it says what it was asked, louder. */
export function hold(model: ScriptedModel) {
  const { answer } = model
  const gate = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  model.answer = async (request, signal) => {
    asked.resolve()
    await Promise.race([gate.promise, never(signal)])
    return answer(request, signal)
  }
  return { open: gate.resolve, asked: asked.promise }
}

/** A time that does not come in a test. */
export const farAway = `${new Date(Date.now() + 300 * 86_400_000).toISOString().slice(0, 10)}T00:00:00.000Z`
