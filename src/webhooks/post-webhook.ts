import type { LookupFunction } from 'node:net'
import { Webhook } from 'standardwebhooks'
import { Agent, request } from 'undici'
import type { Clock } from '../domain/clock.ts'
import type { DeliveryAttempt, DeliveryFault } from '../domain/webhook.ts'
import type { DueDelivery } from '../domain/webhook-store.ts'
import { guardedConnector } from '../outbound/guarded-connector.ts'
import { isAddressRefused } from '../outbound/guarded-lookup.ts'
import { judgeWebhookUrl, outboundRules, type WebhookRules } from './judge-url.ts'
import { readRetryAfter } from './retry-plan.ts'
import { tenantSecrets } from './tenant-secrets.ts'

/** What is read of an answer, so that its connection can be used again. Nothing of it is kept. */
const answerBytesMax = 1_024
/** Of one attempt, from the lookup to the answer. */
export const attemptTimeoutMs = 15_000

export interface PosterParts {
  readonly rules: WebhookRules
  readonly clock: Clock
  /** Sockets to one host. */
  readonly hostMax: number
  readonly timeoutMs?: number
  /** In the place of the system's. */
  readonly lookup?: LookupFunction
}

/** An attempt, and when the receiver wants to hear of it again, in ms. */
export interface PostAnswer {
  readonly attempt: DeliveryAttempt
  readonly retryAfterMs: number | undefined
}

/** Sends webhooks. It follows no redirects, and takes nothing from the environment. */
export function createPoster({ rules, clock, hostMax, timeoutMs = attemptTimeoutMs, lookup }: PosterParts) {
  const looking = lookup === undefined ? {} : { lookup }
  const connect = guardedConnector(outboundRules(rules), { timeoutMs, ...looking })
  const agent = new Agent({ connections: hostMax, connect, allowH2: false })

  /** The headers of Standard Webhooks: with a signature for each secret of the tenant, so that receivers can change theirs at leisure. */
  function sign({ id, tenant, body }: DueDelivery, nowMs: number) {
    const signers = tenantSecrets(tenant, rules.secrets).map((secret) => new Webhook(secret))
    const time = new Date(nowMs)
    return {
      'content-type': 'application/json',
      'user-agent': 'lllm-webhooks',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(nowMs / 1_000)),
      'webhook-signature': signers.map((signer) => signer.sign(id, time, body)).join(' '),
    }
  }

  async function send(due: DueDelivery, nowMs: number, signal: AbortSignal) {
    const answer = await request(due.url, {
      dispatcher: agent,
      method: 'POST',
      headers: sign(due, nowMs),
      body: due.body,
      signal,
    })
    // How the rest of the answer fares is no concern of ours.
    await answer.body.dump({ limit: answerBytesMax, signal }).catch(() => undefined)
    const { 'retry-after': retryAfter } = answer.headers
    const waits = answer.statusCode === 429 || answer.statusCode === 503
    const asked = waits && typeof retryAfter === 'string' ? readRetryAfter(retryAfter, nowMs) : undefined
    return { status: answer.statusCode, retryAfterMs: asked }
  }

  return {
    /** Makes one attempt. It never rejects. */
    async post(due: DueDelivery, signal: AbortSignal): Promise<PostAnswer> {
      const startedAtMs = clock.now()
      const end = (status: number | null, fault: DeliveryFault | null) => {
        return { startedAtMs, durationMs: clock.now() - startedAtMs, status, fault }
      }
      // The rules may have become stricter since the run was submitted, and an address is looked up by nobody.
      if (judgeWebhookUrl(due.url, rules) !== undefined) {
        return { attempt: end(null, 'address-refused'), retryAfterMs: undefined }
      }
      const timeout = AbortSignal.timeout(timeoutMs)
      try {
        const { status, retryAfterMs } = await send(due, startedAtMs, AbortSignal.any([signal, timeout]))
        return { attempt: end(status, null), retryAfterMs }
      } catch (error) {
        const fault = signal.aborted ? 'interrupted' : timeout.aborted ? 'timeout' : faultOf(error)
        return { attempt: end(null, fault), retryAfterMs: undefined }
      }
    },
    close: () => agent.destroy(),
  }
}

function faultOf(error: unknown): DeliveryFault {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (isAddressRefused(error)) return 'address-refused'
  return code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'UND_ERR_HEADERS_TIMEOUT' ? 'timeout' : 'unreachable'
}
