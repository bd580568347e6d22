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

  /**
   * The time in ms since 1970. In a run it is steady: when the run is executed again, because its process ended, it is what it was.
   * A time of one's own, such as `Date.now()` in a prompt, makes another request of it, which is paid for again.
   */
  readonly now: () => Promise<number>
  /** A number in [0, 1), which is as steady in a run as {@link now}. */
  readonly random: () => Promise<number>
  /**
   * Waits, up to 365 days. In a run it ends at the time at which it would have ended, however often the process was started meanwhile.
   * It rejects as soon as the call is stopped.
   *
   * @throws RangeError for a duration that is no number from 0 to 365 days in ms.
   */
  readonly sleep: (durationMs: number) => Promise<void>

  constructor(scope: Scope) {
    this.agents = scope.agents as Agents
    this.tactics = scope.tactics as Tactics
    this.signal = scope.signal
    this.emit = scope.emit as (data: Progress) => Promise<void>
    this.asset = scope.asset
    this.now = scope.now
    this.random = scope.random
    this.sleep = scope.sleep
  }

  /** The orchestration. What it returns is validated by the output schema; what it throws ends the call as a failure. */
  abstract call(task: Input): Promise<Result>
}
