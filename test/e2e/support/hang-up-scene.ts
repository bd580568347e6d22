import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import type { World } from '../../../src/domain/clock.ts'
import { hangUpPackage, obey, retryAfterMs, type ToolNews, toolChannel } from './hang-up-package.ts'
import type { Situation, Whereabouts } from './hang-up-situations.ts'
import { writePackage } from './package.ts'
import { type ServiceSpec, scripted, startService, testWorld } from './service.ts'

/** A service, its provider and its clients, of which one can tell where everything is. */
export async function openScene(spec: Pick<ServiceSpec, 'database' | 'env'> = {}) {
  const waits = new Set<object>()
  const world = countWaits(waits)
  const provider = await scripted(obey)
  const folder = await writePackage(hangUpPackage)
  const service = await startService({ ...spec, provider, folder, world })
  const seen = { entered: 0, heeded: 0, read: 0 }
  const onNews = (news: unknown) => void seen[news as ToolNews]++
  subscribe(toolChannel, onNews)
  onTestFinished(() => void unsubscribe(toolChannel, onNews))

  return {
    provider,
    service,
    seen,
    /** What is under way in the service, each counted once: calls, streams and batches. */
    callsHeld: () => service.server.lllm.shutdown.callsUnderWay,
    whereabouts: (): Whereabouts => ({
      atProvider: provider.inFlight,
      inWait: waits.size,
      inTool: seen.entered,
      read: seen.read,
    }),
    /** Forgets what has been noted down so far. */
    forget() {
      Object.assign(seen, { entered: 0, heeded: 0, read: 0 })
      provider.requests.splice(0)
      service.logLines.splice(0)
    },
    /** Calls, and reads what there is to read. Rejects when the client has hung up. */
    async call(
      { path, body, lastLine }: Pick<Situation, 'path' | 'body' | 'lastLine'>,
      signal: AbortSignal,
    ): Promise<void> {
      // Neither fetch nor an agent: they may keep sockets for later, and what is to be seen is what the service keeps.
      const headers = { 'content-type': 'application/json' }
      const outgoing = request(service.url + path, { method: 'POST', agent: false, headers, signal })
      outgoing.end(JSON.stringify(body))
      const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
      for await (const line of createInterface({ input: incoming })) if (lastLine?.test(line)) seen.read++
      throw new Error(`${path} came to an end.`)
    },
  }
}

export type Scene = Awaited<ReturnType<typeof openScene>>

/** The world of the other tests, with a count of who waits before a recall. */
function countWaits(waits: Set<object>): World {
  const { clock } = testWorld
  return {
    ...testWorld,
    clock: {
      ...clock,
      async sleep(durationMs, signal) {
        const wait = { durationMs }
        if (durationMs > retryAfterMs / 2) waits.add(wait)
        await clock.sleep(durationMs, signal).finally(() => waits.delete(wait))
      },
    },
  }
}
