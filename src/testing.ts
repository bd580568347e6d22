// What the tests of authors may import, as `lllm/testing`. It needs no test runner, and works with all of them.

import { createKeyAuthenticator } from './auth/key-authenticator.ts'
import { createRedactor } from './domain/redact.ts'
import type { Session } from './domain/session.ts'
import type { Tool } from './domain/tool.ts'
import { createBinder } from './engine/bind.ts'
import { createEngine } from './engine/create-engine.ts'
import { keepSessions } from './engine/session-keeper.ts'
import { type House, loadHouse } from './load-house.ts'
import { openRuns } from './open-runs.ts'
import { openWebhooks } from './open-webhooks.ts'
import { imageJudge } from './outbound-rules.ts'
import { createRuntime, type Runtime } from './runtime.ts'
import { readSettings } from './settings.ts'
import { createMemoryIdempotencyStore } from './stores/memory-idempotency-store.ts'
import { createMemoryKeys } from './stores/memory-keys.ts'
import { createMemorySessionStore } from './stores/memory-session-store.ts'
import { type Script, type ScriptedModel, scriptedModel } from './testing/scripted-model.ts'
import { type RemoteAnswer, scriptedRemotes } from './testing/scripted-remotes.ts'
import { describePackage, type TestPackageSpec } from './testing/test-package.ts'
import { countingIds, flatPrices, manualClock, poolOf, toolSourceOf } from './testing/test-world.ts'

export type { ModelReply, ModelRequest, ProviderErrorKind } from './domain/invoker.ts'
export { answersBy, callsTool, callsTools, fails, hangs, saysJson } from './testing/answers.ts'
export {
  type Answer,
  type Line,
  type Lines,
  type Script,
  type ScriptedModel,
  says,
  scriptedModel,
} from './testing/scripted-model.ts'
export type { RemoteAnswer } from './testing/scripted-remotes.ts'
export type { TestPackageSpec } from './testing/test-package.ts'
export { toTranscript } from './testing/transcript.ts'

interface CommonSpec {
  /** What the model says. Left out: nothing, so that every request is refused. */
  readonly model?: Script | ScriptedModel
  /** What the tools of MCP servers are, by the name of the server. No server is asked. */
  readonly mcp?: Readonly<Record<string, readonly Tool[]>>
  /**
   * What remote tactics answer, each by the name that `remoteTactic` was given. No service is asked, and nothing is spent there. One that
   * is called and is not here fails.
   */
  readonly remotes?: Readonly<Record<string, RemoteAnswer>>
}

/** A project in a folder: that of the `lllm.toml` in it or above it. */
interface FolderSpec extends CommonSpec {
  readonly folder: string
  readonly tactics?: never
}

/** Tactics, with as much of a package around them as the test is about. */
interface InlineSpec extends CommonSpec, TestPackageSpec {
  readonly folder?: never
}

export type TestRuntimeSpec = FolderSpec | InlineSpec

/** A runtime whose model follows a script. Nothing of it has to be closed. */
export interface TestRuntime extends Runtime {
  readonly model: ScriptedModel
  /** Milliseconds of each wait before a recall. Nobody has waited: the clock was put forward. */
  readonly sleeps: readonly number[]
  /** A list that gets, from now on, the session of every call of this runtime as it ends, also of calls that fail. */
  recordSessions(): readonly Session[]
}

/**
 * Makes a runtime for a test. It reads no environment, reaches no network and keeps sessions in memory; its clock begins
 * with 2026 and moves only by what is waited for, its ids count up, and its chance is always 0.5. Every model costs $1 for a
 * million tokens of the prompt and $2 for a million of the completion.
 *
 * @throws LllmError for everything that would stop a start: it names the file, what is wrong, and what is known.
 */
export async function testRuntime(spec: TestRuntimeSpec): Promise<TestRuntime> {
  const model = isModel(spec.model) ? spec.model : scriptedModel(spec.model ?? [])
  const { clock, sleeps } = manualClock()
  const settings = readSettings({ LLLM_DATABASE: ':memory:' })
  const redactor = createRedactor(settings.secrets)
  const scripted = { invokers: scriptedPool(model), toolSource: toolSourceOf(spec.mcp) }
  const house =
    spec.folder === undefined
      ? inlineHouse(spec, scripted)
      : await loadHouse(settings, { folder: spec.folder, clock, scripted })
  const world = { clock, newId: countingIds() }
  const remotes = scriptedRemotes(spec.remotes ?? {}, world)
  const { store, recordSessions } = recordingStore()
  // This store takes everything.
  const keeper = keepSessions(store, () => {})
  const content = { most: settings.storeContent, redactor }
  const engineParts = {
    world,
    prices: flatPrices(),
    toolSource: house.toolSource,
    remotes,
    content,
    judgeImageUrl: imageJudge(settings),
  }
  const engine = createEngine(house.tactics, engineParts, keeper, house.aliases)
  const { createMemoryRuns } = await import('./stores/memory-runs.ts')
  const { runs: runStore, webhooks } = createMemoryRuns(store, () => clock.now())
  const authenticator = createKeyAuthenticator(createMemoryKeys(), clock)
  const { judge: judgeWebhook } = await openWebhooks(settings, webhooks, { world })
  const runtime = createRuntime({
    settings,
    house,
    engine,
    runs: openRuns(settings, runStore, engine, { world, keys: authenticator, judgeWebhook }),
    schedules: noSchedules,
    webhooks,
    judgeWebhook,
    engineParts,
    store,
    idempotency: createMemoryIdempotencyStore(),
    authenticator,
    redactor,
    keeper,
    warnings: house.warnings,
  })
  return { ...runtime, model, sleeps, recordSessions }
}

const noSchedules: Runtime['schedules'] = { list: async () => [], of: () => noSchedules }

function recordingStore() {
  const store = createMemorySessionStore()
  const recordings: Session[][] = []
  return {
    store: {
      ...store,
      save(session: Session) {
        for (const sessions of recordings) sessions.push(session)
        return store.save(session)
      },
    },
    recordSessions(): readonly Session[] {
      const sessions: Session[] = []
      recordings.push(sessions)
      return sessions
    },
  }
}

function isModel(given: TestRuntimeSpec['model']): given is ScriptedModel {
  return typeof given === 'object' && 'invoker' in given && typeof given.invoker === 'object'
}

/** A config may name the invokers of the settings: here they all lead to the script. */
function scriptedPool({ invoker }: ScriptedModel) {
  return poolOf(
    invoker,
    ['openai', 'simulated'].map((name) => ({ ...invoker, name })),
  )
}

function inlineHouse(spec: InlineSpec, parts: Pick<House, 'invokers' | 'toolSource'>): Omit<House, 'tree'> {
  const root = describePackage(spec)
  const packages = { root, all: [root] }
  const binder = createBinder(packages, parts)
  return {
    ...parts,
    packages,
    binder,
    tactics: binder.bindAll(),
    aliases: new Map(),
    warnings: [],
    close: async () => {},
  }
}
