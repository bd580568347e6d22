import type { FastifyBaseLogger } from 'fastify'
import type { Authenticator } from '../domain/authenticator.ts'
import type { World } from '../domain/clock.ts'
import type { IdempotencyStore } from '../domain/idempotency-store.ts'
import type { Metrics } from '../domain/metrics.ts'
import type { PackageOrigin } from '../domain/package.ts'
import type { Redactor } from '../domain/redact.ts'
import type { SessionStore, TenantSessions } from '../domain/session-store.ts'
import type { SharedRates } from '../domain/shared-rates.ts'
import type { TenantWebhooks, WebhookStore } from '../domain/webhook-store.ts'
import type { Engine } from '../engine/engine.ts'
import type { Runs, TenantRuns } from '../runs/runs.ts'
import type { Schedules, TenantSchedules } from '../runs/schedules.ts'
import type { Access } from './access.ts'
import type { Admission, AdmissionBounds } from './admission.ts'
import type { AnswerKeeper } from './answer-keeper.ts'
import type { Door } from './door/door.ts'
import type { DoorSettings } from './door/door-settings.ts'
import type { OpenAnswers } from './open-answers.ts'
import type { Operation } from './openapi/operation.ts'
import type { Readiness } from './readiness.ts'
import type { RequestStory } from './request-log.ts'
import type { Shutdown } from './shutdown.ts'

/** The bounds of the service. */
export interface HttpSettings extends AdmissionBounds, DoorSettings {
  /** Bytes that a request's body may have. */
  readonly bodyLimitBytes: number
  /** Tasks that one batch may have. */
  readonly batchTasksMax: number
  /** Workers that one batch may ask for. */
  readonly batchWorkersMax: number
  /** Milliseconds that a call may take; also what it gets when it asks for nothing. */
  readonly timeoutMs: number
  /** Milliseconds that a run may take; also what it gets when it asks for nothing. */
  readonly runTimeoutMs: number
  /** Milliseconds that calls under way are given to end when the server closes. */
  readonly graceMs: number
}

/** What `GET /info` tells beyond what the engine and the store know themselves. */
export interface ServiceInfo {
  readonly name: string
  readonly version: string
  /** Whether replies of the default invoker are made up on this machine. */
  readonly simulated: boolean
  readonly packages: readonly {
    readonly name: string
    readonly version: string
    readonly origin: PackageOrigin
    /** What else the served package calls it. */
    readonly aliases: readonly string[]
  }[]
  readonly invokers: readonly { readonly name: string; readonly simulated: boolean }[]
}

/** Everything that the HTTP service is made from. */
export interface HttpApp {
  readonly engine: Engine
  readonly store: SessionStore
  /** Work that goes on without its caller. */
  readonly runs: Runs
  /** What starts runs by the clock. */
  readonly schedules: Pick<Schedules, 'of'>
  /** What requests with an `Idempotency-Key` came to. */
  readonly idempotency: IdempotencyStore
  /** What became of telling the ends of runs. */
  readonly webhooks: Pick<WebhookStore, 'of'>
  /** Says why the ends of runs may not be told at a URL; undefined: they may. Left out: they are told nowhere. */
  readonly judgeWebhook?: (url: string) => string | undefined
  readonly settings: HttpSettings
  /** What counts requests, and tells all figures. Left out: nothing is counted. */
  readonly metrics?: Metrics
  /** Counts what the processes that share a storage let in together. Left out: each counts for itself. */
  readonly rates?: SharedRates | undefined
  /** Milliseconds after which a reader who takes nothing of an answer is disconnected. Left out: 30 s. */
  readonly readerPatienceMs?: number
  /** Where requests and failures are logged. Left out: where the application around the service logs them. */
  readonly logger?: FastifyBaseLogger
  readonly info: ServiceInfo
  readonly world: World
  /** Finds out who asks. Left out: nobody has to say. */
  readonly authenticator?: Authenticator
  /** Takes secrets out of what is told of errors, and of what is logged. Left out: one that knows none by their values. */
  readonly redactor?: Redactor
}

/** What is one tenant's. */
export interface TenantHouse {
  readonly sessions: TenantSessions
  readonly runs: TenantRuns
  readonly schedules: TenantSchedules
  readonly webhooks: TenantWebhooks
}

/**
 * What the routes work with, as `server.lllm`. What belongs to tenants is reached through {@link houseOf} alone: no route can forget whose
 * request it answers.
 */
export interface Lllm
  extends Omit<HttpApp, 'store' | 'runs' | 'schedules' | 'webhooks' | 'idempotency' | 'readerPatienceMs'> {
  readonly storeKind: string
  ofTenant(tenant: string): TenantHouse
  /** What all paths begin with: `/ai`, or nothing. */
  readonly prefix: string
  readonly redactor: Redactor
  readonly shutdown: Shutdown
  readonly door: Door
  readonly admission: Admission
  readonly answers: AnswerKeeper
  readonly readiness: Readiness
  readonly openAnswers: OpenAnswers
}

declare module 'fastify' {
  interface FastifyInstance {
    readonly lllm: Lllm
  }
  interface FastifyRequest {
    /** Is there from the first hook of the service on. */
    lllmStory: RequestStory
  }
  interface FastifyContextConfig {
    /** What the route is counted as, where several have one pattern. Left out: as its own path. */
    readonly pattern?: string
    /** How the OpenAPI document describes the route. A route without it is not part of the document. */
    readonly operation?: Operation
    /** The media types that a success can have. Left out: JSON. */
    readonly produces?: readonly string[]
    /** What it takes to be answered, where no operation says it. Left out of both: `admin`. */
    readonly access?: Access
    /** Whether it is asked by what watches over the service: it is answered whatever the load, and however often. */
    readonly isProbe?: boolean
  }
}
