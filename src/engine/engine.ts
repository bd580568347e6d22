import type { AgentPlan } from '../domain/agent.ts'
import type { KeyBudget } from '../domain/caller.ts'
import type { LllmError } from '../domain/errors.ts'
import type { Emit } from '../domain/event.ts'
import type { JsonObject, JsonSchema } from '../domain/json.ts'
import type { Limits } from '../domain/limits.ts'
import type { Asset } from '../domain/package.ts'
import type { AnyPrompt } from '../domain/prompt.ts'
import type { Session } from '../domain/session.ts'
import type { StoreContent } from '../domain/store-content.ts'
import type { BatchOptions, TacticClass } from '../domain/tactic.ts'
import type { Tracing } from '../domain/tracing.ts'
import type { BudgetStatus } from './budget-book.ts'
import type { CallTrace } from './call-spans.ts'
import type { ContentKeeper } from './content-keeper.ts'
import type { Meter } from './meter.ts'
import type { RunJournal } from './run-journal.ts'

/** A tactic with its configs and prompts linked: ready to be called. Immutable, shared by all calls. */
export interface BoundTactic {
  readonly name: string
  /** `package::name` */
  readonly id: string
  /** The shortest name that finds it: `name`, or the id where another package's tactic has the name. */
  readonly address: string
  /** The id of the tactic that the bare name finds instead. */
  readonly shadowedBy?: string
  readonly package: { readonly name: string; readonly version: string }
  readonly file: string
  readonly tactic: TacticClass
  /** By the short name that a caller may give: `default`, `pro`. The first is the default. */
  readonly configs: ReadonlyMap<string, BoundConfig>
  readonly inputSchema: JsonSchema
  readonly outputSchema: JsonSchema
}

export interface BoundConfig {
  readonly name: string
  /** SHA-256 of the merged config, in hex. */
  readonly hash: string
  readonly agents: ReadonlyMap<string, AgentPlan>
  /** Finds a prompt of the tactic's package. @throws LllmError `unknown-prompt`, which lists what is known. */
  findPrompt(path: string): AnyPrompt
  /** Finds a file of the tactic's package. @throws LllmError `unknown-asset`, which lists what is known. */
  findAsset(url: string): Asset
  readonly subTactics: ReadonlyMap<string, { readonly tactic: BoundTactic; readonly config: BoundConfig }>
  readonly limits: Limits
  /** What is kept of the texts of its calls, where the settings keep more. */
  readonly storeContent: StoreContent
}

/** A call whose tactic, config and task are known to fit. Nothing has been spent yet. */
export interface PreparedCall {
  readonly tactic: BoundTactic
  readonly config: BoundConfig
  /** The task as it was given, for the record. */
  readonly task: unknown
  /** The task after validation. */
  readonly input: unknown
}

export interface CallOptions {
  readonly signal?: AbortSignal
  /** Milliseconds until the call ends as `deadline-exceeded`, 1 or more. */
  readonly timeoutMs?: number
  /** USD that the call may cost, everything below it included; of a batch, all of its calls together. Up to 1,000,000. */
  readonly budgetUsd?: number
  /** What the call may take beside money, everything below it included. The config's own limits hold as well. */
  readonly limits?: Pick<Limits, 'tokens' | 'llmCalls' | 'depth'>
  readonly tags?: Readonly<Record<string, string>>
  readonly metadata?: JsonObject
  /** Whose call it is. Default: the operator's own. */
  readonly tenant?: string
  /** What the key of whoever calls may spend. */
  readonly keyBudget?: KeyBudget
  /** Is told what happens as it happens. With it, replies are streamed from the provider. */
  readonly emit?: Emit
}

/** How a call ended. The session is data and is stored; the live error, with its cause and stack, goes no further than the log. */
export type Outcome<Output = unknown> =
  | { readonly ok: true; readonly output: Output; readonly session: Session }
  | { readonly ok: false; readonly error: LllmError; readonly session: Session }

/** A batch's item. Null outcome: the task was never started. */
export interface BatchItem {
  readonly index: number
  readonly outcome: Outcome | null
}

export interface Engine {
  /** All tactics that can be called, in order of their addresses. */
  readonly tactics: readonly BoundTactic[]
  /** Sessions of ended calls that the store could not take yet. More than 0 means that it fails. */
  readonly unsavedSessions: number
  /** Whoever has calls done tells their traces here as well. */
  readonly tracing: Tracing
  /** What of calls may be kept. */
  readonly content: ContentKeeper
  /** How the standing budgets are, in the order of the settings. */
  budgets(): readonly BudgetStatus[]
  /**
   * Finds a tactic by its name, or by `package::name`, where the package may be called as the served one calls it.
   *
   * @throws LllmError `unknown-tactic`, which lists what is known.
   */
  find(name: string): BoundTactic
  /** Judges a task and the name of a config. Rejects with an LllmError `invalid-task` or `unknown-config`. */
  prepare(tactic: BoundTactic, task: unknown, configName?: string): Promise<PreparedCall>
  /**
   * Calls a tactic once. It never rejects: a failure is an outcome with its session, as it may be kept, and its cost. What it spends counts
   * against the limits of `meter` too, which several calls may share. An attempt of a run is not stored: that is up to whoever
   * works on the run.
   */
  execute(
    call: PreparedCall,
    options?: CallOptions & CallTrace & { readonly meter?: Meter; readonly run?: RunJournal },
  ): Promise<Outcome>
  /** Executes calls with bounded workers and yields each as it completes, or as it is skipped. Leaving the loop cancels the rest. */
  batch(calls: readonly PreparedCall[], options?: CallOptions & BatchOptions & CallTrace): AsyncIterable<BatchItem>
}
