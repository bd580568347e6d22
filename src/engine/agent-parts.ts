import type { AgentPlan } from '../domain/agent.ts'
import type { World } from '../domain/clock.ts'
import type { PriceBook } from '../domain/invoker.ts'
import type { Observe } from '../domain/observation.ts'
import type { AnyPrompt } from '../domain/prompt.ts'
import type { ToolSource } from '../domain/tool-source.ts'
import type { CallParts } from './call-parts.ts'
import type { EngineParts } from './engine-parts.ts'

/** What a live agent is given for its one call. */
export interface AgentParts extends CallParts {
  readonly plan: AgentPlan
  readonly world: World
  readonly prices: PriceBook
  readonly toolSource: ToolSource
  /** Left undefined when nobody counts. */
  readonly observe: Observe | undefined
  /** Says why a provider may not be sent to the address of an image. Left undefined: it may be sent anywhere. */
  readonly judgeImageUrl: EngineParts['judgeImageUrl']
  findPrompt(path: string): AnyPrompt
  /** Does work that whoever closes the session waits for. Once the call has been stopped, nothing is begun any more. */
  begin<Value>(work: () => Promise<Value>): Promise<Value>
}
