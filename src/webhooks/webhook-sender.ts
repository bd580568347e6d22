import type { LookupFunction } from 'node:net'
import type { Clock } from '../domain/clock.ts'
import type { DeliveryAttempt } from '../domain/webhook.ts'
import type { DeliveryStep, DueDelivery, WebhookStore } from '../domain/webhook-store.ts'
import type { WebhookRules } from './judge-url.ts'
import { attemptTimeoutMs, createPoster } from './post-webhook.ts'
import { planNext } from './retry-plan.ts'

/** Deliveries under way in one process. */
const placesMax = 32
/** Those to one host: a slow one leaves places for the others. */
const hostMax = 4
/** How often the store is asked for deliveries that have become due. */
const pollEveryMs = 1_000
/** Longer than an attempt, and what it takes to write down what came of it. */
const leaseMs = attemptTimeoutMs + 15_000

export type WebhookEvent =
  | {
      readonly type: 'webhook.attempted'
      readonly deliveryId: string
      readonly runId: string
      readonly host: string
      readonly attempt: DeliveryAttempt
      /** `lost`: another process has taken the delivery, or it is gone with its run. */
      readonly step: DeliveryStep['kind'] | 'lost'
    }
  | { readonly type: 'webhook.store-failed'; readonly error: unknown }

export interface WebhookSenderParts {
  readonly store: Pick<WebhookStore, 'claim' | 'record'>
  readonly rules: WebhookRules
  readonly clock: Clock
  readonly onEvent: (event: WebhookEvent) => void
  /** In the place of the system's. */
  readonly lookup?: LookupFunction
  /** Of one attempt; default 15 s. */
  readonly timeoutMs?: number
}

export interface WebhookSender {
  /** Begins to deliver. Where webhooks cannot be signed, it does nothing. */
  start(): void
  /** Takes no more deliveries, gives those under way `graceMs` to end, and gives back the others. Never rejects. */
  close(graceMs: number): Promise<void>
}

/**
 * Delivers what the store has, in any number of processes at once. It is at least once: an answer, or what is written of it, can get
 * lost. It shares nothing with those who work on runs but the store.
 */
export function createWebhookSender({ store, rules, clock, onEvent, ...more }: WebhookSenderParts): WebhookSender {
  const poster = createPoster({ rules, clock, hostMax, ...more })
  const sending = new Map<string, Promise<void>>()
  const hostsBusy = new Map<string, number>()
  const closing = new AbortController()
  const giveUp = new AbortController()
  let pause = new AbortController()
  let loop: Promise<void> | undefined
  let ended: Promise<void> | undefined
  let isFailing = false

  async function deliverOn() {
    while (!closing.signal.aborted) {
      pause = new AbortController()
      const due = await claim()
      for (const delivery of due) begin(delivery)
      if (due.length > 0) continue
      await clock.sleep(pollEveryMs, AbortSignal.any([closing.signal, pause.signal])).catch(() => undefined)
    }
  }

  async function claim(): Promise<readonly DueDelivery[]> {
    const slots = placesMax - sending.size
    if (slots <= 0) return []
    try {
      const due = await store.claim({ slots, hostMax, hostsBusy: Object.fromEntries(hostsBusy), leaseMs })
      isFailing = false
      return due
    } catch (error) {
      tellFailure(error)
      return []
    }
  }

  function begin(due: DueDelivery) {
    const key = `${due.id} ${due.claim}`
    hostsBusy.set(due.host, (hostsBusy.get(due.host) ?? 0) + 1)
    const sent = deliver(due).finally(() => {
      sending.delete(key)
      const left = (hostsBusy.get(due.host) ?? 1) - 1
      if (left > 0) hostsBusy.set(due.host, left)
      else hostsBusy.delete(due.host)
      // There may be more for this host, or there was no place for anybody.
      pause.abort()
    })
    sending.set(key, sent)
  }

  async function deliver(due: DueDelivery) {
    const { attempt, retryAfterMs } = await poster.post(due, giveUp.signal)
    const step = planNext(attempt, due.tries, clock.random(), retryAfterMs)
    try {
      const isOurs = await store.record(due, attempt, step)
      const told = { deliveryId: due.id, runId: due.runId, host: due.host, attempt }
      onEvent({ type: 'webhook.attempted', ...told, step: isOurs ? step.kind : 'lost' })
    } catch (error) {
      // Its lease ends, and it is tried again.
      tellFailure(error)
    }
  }

  /** Of an outage the first failure is told. */
  function tellFailure(error: unknown) {
    if (!isFailing) onEvent({ type: 'webhook.store-failed', error })
    isFailing = true
  }

  async function end(graceMs: number) {
    closing.abort()
    await loop
    const done = new AbortController()
    const rest = Promise.all(sending.values()).then(() => done.abort())
    if (graceMs > 0) await clock.sleep(graceMs, done.signal).catch(() => undefined)
    giveUp.abort()
    await rest
    await poster.close()
  }

  return {
    start() {
      if (rules.secrets.length > 0) loop ??= deliverOn()
    },
    close(graceMs) {
      ended ??= end(graceMs)
      return ended
    },
  }
}
