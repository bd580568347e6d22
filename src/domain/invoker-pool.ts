import type { InvokerConfig } from './config.ts'
import type { Invoker } from './invoker.ts'

/** All ways to ask models that this process has. */
export interface InvokerPool {
  /** What agents use whose config names no invoker: the provider of the settings, or the simulated model. */
  readonly default: Invoker
  /** Those that exist without a config declaring them. */
  readonly builtIn: ReadonlyMap<string, Invoker>
  /** The invoker that a config declares. The same name and declaration give the same invoker. */
  declared(name: string, config: InvokerConfig): Invoker
  /** All that were handed out so far. */
  all(): readonly Invoker[]
  close(): Promise<void>
}
