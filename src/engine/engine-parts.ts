import type { World } from '../domain/clock.ts'
import type { PriceBook } from '../domain/invoker.ts'
import type { Observe } from '../domain/observation.ts'
import type { RemoteTactics } from '../domain/remote.ts'
import type { ToolSource } from '../domain/tool-source.ts'
import type { Tracing } from '../domain/tracing.ts'
import type { ContentPolicy } from './content-keeper.ts'
import type { StandingBudgets } from './standing-budgets.ts'

/** What every call needs from outside. */
export interface EngineParts {
  readonly world: World
  readonly prices: PriceBook
  readonly toolSource: ToolSource
  /** Left out: there are none. */
  readonly budgets?: StandingBudgets
  /** Left out: tactics of other services cannot be called. */
  readonly remotes?: RemoteTactics
  /** Left out: nobody collects traces. */
  readonly tracing?: Tracing
  /** Is told of what is counted. Left out: nobody counts. */
  readonly observe?: Observe
  /** What may be kept of calls. Left out: everything that their configs allow. */
  readonly content?: ContentPolicy
  /** Says why a provider may not be sent to the address of an image; undefined: it may. Left out: it may be sent anywhere. */
  readonly judgeImageUrl?: ((url: URL) => string | undefined) | undefined
}
