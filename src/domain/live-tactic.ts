import type { Asset } from './package.ts'
import type { Scope } from './tactic.ts'

/**
 * What every tactic is while it is called. It stands by itself, and is not made anew by each `Tactic({ … })`, because only
 * so its `call` is still abstract in the types that are published.
 */
export abstract class LiveTactic<Agents, Tactics, Input, Result, Progress> {
  readonly agents: Agents
  readonly tactics: Tactics
  /** Aborts when the call ends early: hand it to your own I/O. */
  readonly signal: AbortSignal
  /**
   * Tells whoever follows the call as a stream how it goes. Nothing of it is kept in the session. It resolves when there
   * is room for more, so awaiting it makes a tactic as slow as its reader, and not awaiting it is fine.
   *
   * @throws TypeError when the data has more than 16,384 characters as JSON.
   */
  readonly emit: (data: Progress) => Promise<void>
  /**
   * A file of the package: `section:path`, or `package.section:path` of one that it can name. Sections of files are those
   * that `lllm.toml` names beside the standard ones.
   *
   * @throws LllmError `unknown-asset`, which lists what is known.
   */
  readonly asset: (url: string) => Asset

  constructor(scope: Scope) {
    this.agents = scope.agents as Agents
    this.tactics = scope.tactics as Tactics
    this.signal = scope.signal
    this.emit = scope.emit as (data: Progress) => Promise<void>
    this.asset = scope.asset
  }

  /** The orchestration. What it returns is validated by the output schema; what it throws ends the call as a failure. */
  abstract call(task: Input): Promise<Result>
}
