import { pino } from 'pino'
import { onTestFinished } from 'vitest'
import { z } from 'zod'
import type { Authenticator, KeyJudge } from '../../src/domain/authenticator.ts'
import type { World } from '../../src/domain/clock.ts'
import type { IdempotencyStore } from '../../src/domain/idempotency-store.ts'
import type { Invoker, ModelReply, ModelRequest } from '../../src/domain/invoker.ts'
import { makePackage } from '../../src/domain/package.ts'
import type { Redactor } from '../../src/domain/redact.ts'
import type { RetentionStore } from '../../src/domain/retention.ts'
import type { RunStore } from '../../src/domain/run-store.ts'
import type { SessionStore } from '../../src/domain/session-store.ts'
import type { SharedRates } from '../../src/domain/shared-rates.ts'
import { type InputOf, Tactic } from '../../src/domain/tactic.ts'
import type { WebhookStore } from '../../src/domain/webhook-store.ts'
import { createBinder } from '../../src/engine/bind.ts'
import { createEngine } from '../../src/engine/create-engine.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { keepSessions } from '../../src/engine/session-keeper.ts'
import { createServer, type ServerApp } from '../../src/http/create-server.ts'
import type { HttpApp } from '../../src/http/http-app.ts'
import { openRuns } from '../../src/open-runs.ts'
import type { Runs } from '../../src/runs/runs.ts'
import type { Schedule } from '../../src/runs/schedule.ts'
import { createSchedules } from '../../src/runs/schedules.ts'
import { createMemoryIdempotencyStore } from '../../src/stores/memory-idempotency-store.ts'
import { createMemoryRetention } from '../../src/stores/memory-retention.ts'
import { createMemoryRuns } from '../../src/stores/memory-runs.ts'
import { createMemorySessionStore } from '../../src/stores/memory-session-store.ts'
import { systemWorld } from '../../src/system-world.ts'
import { createMetrics } from '../../src/telemetry/create-metrics.ts'

/** Answers from what a test scripted, and by default with the last message in capitals. */
export interface ScriptedModel {
  answer: (request: ModelRequest, signal: AbortSignal) => Promise<string>
  simulated: boolean
  callCount: number
}

export class Shout extends Tactic({
  name: 'shout',
  description: 'Says it louder.',
  agents: ['shouter'],
  examples: ['hello'],
}) {
  async call(task: string) {
    const { shouter } = this.agents
    return (await shouter.open('shout').receive(task).respond()).content
  }
}

const treeNode = z.object({
  label: z.string(),
  get children() {
    return z.array(treeNode).optional()
  },
})

/** Has a recursive input and an object for output, and a sub-tactic. */
export class CountNodes extends Tactic({
  name: 'count-nodes',
  description: 'Counts the nodes of a tree and shouts its label.',
  agents: ['counter'],
  tactics: { shout: Shout },
  input: treeNode,
  output: z.object({ count: z.int(), label: z.string() }),
  examples: [{ label: 'root', children: [{ label: 'leaf' }] }],
}) {
  async call(task: InputOf<typeof CountNodes>) {
    const label = await this.tactics.shout(task.label)
    await this.agents.counter.open('count').receive('count').respond()
    return { count: countNodes(task), label }
  }
}

function countNodes({ children = [] }: z.output<typeof treeNode>): number {
  return children.reduce((count, child) => count + countNodes(child), 1)
}

/** Breaks in its own code. */
export class Broken extends Tactic({ name: 'broken', agents: ['shouter'] }) {
  async call(task: string): Promise<string> {
    await this.agents.shouter.open('shout').receive(task).respond()
    throw new Error('hunter2 is the secret of this exception')
  }
}

function configOf(tactic: string, agent: string) {
  const value = {
    tactic_type: tactic,
    global: { model_name: 'test-model', max_llm_recall: 0, max_exception_retry: 0 },
    agent_configs: [{ name: agent, system_prompt: 'You help.' }],
  }
  return [tactic, { name: tactic, file: `configs/${tactic}.yaml`, value }] as const
}

export interface TestService {
  readonly app: HttpApp
  readonly webhooks: WebhookStore
  readonly retention: RetentionStore
  readonly runStore: RunStore
  readonly server: Awaited<ReturnType<typeof createServer>>
  readonly model: ScriptedModel
  readonly logLines: readonly Readonly<Record<string, unknown>>[]
}

const allHold: KeyJudge = { refusalOf: async () => undefined }

export interface ServiceSketch {
  readonly store?: Partial<SessionStore>
  readonly idempotency?: IdempotencyStore
  readonly settings?: Partial<ServerApp['settings']>
  readonly rates?: SharedRates
  /** Left out: nobody has to say who he is. */
  readonly authenticator?: Authenticator & Partial<KeyJudge>
  /** Runs of a tenant that may wait. */
  readonly queuedRunsMax?: number
  /** Left out: one that knows no secret. */
  readonly redactor?: Redactor
  /** Puts something in the place of the engine. */
  readonly engine?: (real: Engine) => Engine
  readonly world?: World
  readonly judgeWebhook?: HttpApp['judgeWebhook']
  readonly readerPatienceMs?: number
  /** The schedules there are. None of them is at work: their ticks are up to the test. */
  readonly schedules?: (engine: Engine) => Promise<readonly Schedule[]>
  /** Whether the package `loud` is there as well, with a tactic `shout` of its own. */
  readonly isLoud?: boolean
}

/** A second package, whose tactic has a name that the served one has too. */
const loud = makePackage({
  name: 'loud',
  version: '0.1.0',
  tactics: [
    {
      tactic: class extends Tactic({ name: 'shout', agents: ['shouter'], output: z.object({ text: z.string() }) }) {
        async call(task: string) {
          return { text: (await this.agents.shouter.open('shout').receive(task).respond()).content }
        }
      },
      file: 'loud/tactics/shout.ts',
    },
  ],
  configs: new Map([configOf('shout', 'shouter')]),
})

/** A whole service, with a scripted model and a store in memory. It is closed when the test has finished. */
export async function openService(sketch: ServiceSketch = {}): Promise<TestService> {
  const { store: storeParts = {}, settings = {}, engine: inPlaceOf = (real) => real, world = systemWorld } = sketch
  const model: ScriptedModel = {
    // A model that says nothing is a fault of the provider's, whatever it was told.
    answer: async ({ messages }) => String(messages.at(-1)?.content).toUpperCase() || 'SILENCE',
    simulated: false,
    callCount: 0,
  }
  const invoker = scriptedInvoker(model)
  const whole = { ...createMemorySessionStore(), ...storeParts }
  const store = { ...whole, of: (tenant: string) => ({ ...whole.of(tenant), ...storeParts }) }
  const toolSource = { servers: [], tools: async () => [], close: async () => {} }
  const invokers = {
    default: invoker,
    builtIn: new Map(),
    declared: () => invoker,
    all: () => [invoker],
    close: async () => {},
  }
  const root = makePackage({
    name: 'demo',
    version: '1.2.3',
    tactics: [Shout, CountNodes, Broken].map((tactic) => ({ tactic, file: `tactics/${tactic.name}.ts` })),
    configs: new Map([configOf('shout', 'shouter'), configOf('count-nodes', 'counter'), configOf('broken', 'shouter')]),
  })
  const all = sketch.isLoud === true ? [root, loud] : [root]
  const bound = createBinder({ root, all }, { invokers, toolSource }).bindAll()
  const prices = { price: () => ({ promptPicoUsd: 2_000_000, completionPicoUsd: 1_000_000 }) }
  const engine = inPlaceOf(
    createEngine(
      bound,
      { world, prices, toolSource },
      keepSessions(store, () => {}),
    ),
  )
  const logLines: Record<string, unknown>[] = []
  const memory = createMemoryRuns(store)
  const working = openRuns(
    {
      role: 'all',
      runWorkers: 10,
      runConcurrency: 10,
      runTimeoutMs: 60_000,
      runAttemptsMax: 5,
      queuedRunsMax: sketch.queuedRunsMax ?? 1_000,
    },
    memory.runs,
    engine,
    // A clock that is held would hold up whoever looks for work.
    { world: systemWorld, keys: { ...allHold, ...sketch.authenticator } },
  )
  await working.start()
  // A test that puts something in the place of a method means the one that routes use.
  const runs: Runs = { ...working, of: () => runs }
  const schedules = createSchedules({
    schedules: (await sketch.schedules?.(engine)) ?? [],
    store: memory.runs,
    world,
    runTimeoutMs: 60_000,
    onEvent: () => {},
  })
  const app = {
    engine,
    store,
    runs,
    schedules,
    webhooks: memory.webhooks,
    metrics: createMetrics({ version: '0.1.0' }),
    idempotency: sketch.idempotency ?? createMemoryIdempotencyStore(),
    settings: {
      bodyLimitBytes: 1_000_000,
      batchTasksMax: 50,
      batchWorkersMax: 10,
      callsMax: 100,
      queueMax: 100,
      timeoutMs: 60_000,
      runTimeoutMs: 60_000,
      graceMs: 0,
      connectionsMax: 1_000,
      connectionsPerAddress: 1_000,
      headersTimeoutMs: 15_000,
      requestTimeoutMs: 60_000,
      ...settings,
    },
    logger: pino({ level: 'info' }, { write: (line) => void logLines.push(JSON.parse(line)) }),
    info: {
      name: 'lllm',
      version: '0.1.0',
      simulated: true,
      packages: [{ name: 'demo', version: '1.2.3', origin: 'root', aliases: [] }],
      invokers: [{ name: 'scripted', simulated: true }],
    },
    world,
    rates: sketch.rates,
    ...(sketch.authenticator === undefined ? {} : { authenticator: sketch.authenticator }),
    ...(sketch.redactor === undefined ? {} : { redactor: sketch.redactor }),
    ...(sketch.readerPatienceMs === undefined ? {} : { readerPatienceMs: sketch.readerPatienceMs }),
    ...(sketch.judgeWebhook === undefined ? {} : { judgeWebhook: sketch.judgeWebhook }),
  } satisfies ServerApp
  const server = await createServer(app)
  onTestFinished(async () => {
    await server.close()
    await runs.drain(0)
  })
  const retention = createMemoryRetention(store, memory.cleaning)
  return { app, webhooks: memory.webhooks, retention, runStore: memory.runs, server, model, logLines }
}

function scriptedInvoker(model: ScriptedModel): Invoker {
  return {
    name: 'scripted',
    get simulated() {
      return model.simulated
    },
    async invoke(request, signal): Promise<ModelReply> {
      model.callCount += 1
      const content = await model.answer(request, signal)
      return {
        id: `reply-${model.callCount}`,
        model: request.model,
        message: { role: 'assistant', content },
        finishReason: 'stop',
        usage: { promptTokens: 20, cachedPromptTokens: 5, completionTokens: 10, reasoningTokens: 2 },
      }
    },
    close: async () => {},
  }
}

/** Rejects with its reason when the signal aborts, as an invoker whose provider takes for ever. */
export function never(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

/** Starts listening and gives the address. */
export async function listen({ server }: TestService): Promise<string> {
  return server.listen({ port: 0, host: '127.0.0.1' })
}
