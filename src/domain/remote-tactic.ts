import { z } from 'zod'
import { budgetUsdMax, toPicoUsd } from './limits.ts'
import type { RemoteTarget } from './remote.ts'
import type { Schema } from './schema.ts'
import { checkHeaders, readServiceUrl } from './service-url.ts'
import { Tactic, type TacticClass, type TacticSpec } from './tactic.ts'

type Headers = Readonly<Record<string, string>>

export interface RemoteOptions {
  /** Are sent with every call; a function is asked for them each time. They turn up in no session, error or log. */
  readonly headers?: Headers | (() => Headers)
  /** The name of a key that is sent as `authorization: Bearer …`: `research` has it in `LLLM_API_KEY_RESEARCH`. */
  readonly apiKeyName?: string
  /** The name of one of the tactic's configs, there. Default: its first. */
  readonly config?: string
  /**
   * USD that one call may cost: above 0, up to 1,000,000. Under a budget, so much is set aside while the call is under way.
   * Default: all that is left of the budgets it counts against, so that such calls come one after the other.
   */
  readonly budgetUsd?: number
}

export interface RemoteSchemas<In extends Schema, Out extends Schema> {
  /** Judges tasks before they are sent. Default: the service judges them. */
  readonly input?: In
  /** Judges results, and fills in their defaults. Default: the service has judged them. */
  readonly output?: Out
}

/** A tactic of another service, to be declared as a sub-tactic. */
export interface RemoteTactic<In extends Schema, Out extends Schema> extends TacticClass {
  readonly spec: TacticSpec & { readonly input: In; readonly output: Out }
}

/** What a tactic is called: `researcher`, or `package::researcher`. */
const remoteName = /^[a-z0-9][a-z0-9_-]{0,63}(?:::[a-z0-9][a-z0-9_-]{0,63})?$/
const keyName = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/

/**
 * A tactic of another service. Declared as a sub-tactic it is called as if it were here: its session becomes a child of the
 * caller's, its cost counts, and the caller's budgets, deadline and cancellation hold for it.
 *
 * Its types come from its class, imported as a type: `remoteTactic<typeof Researcher>('http://host:8080', 'researcher')`; or from
 * schemas. Without either, task and result are unknown.
 *
 * @param url Of the service, up to the path below which its routes are; without a user, a password or a query.
 * @throws TypeError when something does not fit.
 */
export function remoteTactic<T extends TacticClass>(
  url: string,
  name: string,
  options?: RemoteOptions & { readonly input?: never; readonly output?: never },
): RemoteTactic<T['spec']['input'], T['spec']['output']>
export function remoteTactic<In extends Schema = Schema, Out extends Schema = Schema>(
  url: string,
  name: string,
  options: RemoteOptions & RemoteSchemas<In, Out>,
): RemoteTactic<In, Out>
export function remoteTactic(
  url: string,
  name: string,
  options: RemoteOptions & RemoteSchemas<Schema, Schema> = {},
): TacticClass {
  if (!remoteName.test(name)) throw new TypeError(`The name of a remote tactic does not fit ${remoteName.source}.`)
  const { input = z.unknown(), output = z.unknown() } = options
  const remote = toTarget(url, name, options)
  class Remote extends Tactic({ name, input, output }) {
    static override readonly spec = { ...super.spec, remote }
    /** The engine calls the service instead. */
    async call(): Promise<never> {
      throw new TypeError(`The remote tactic "${name}" is called by the engine alone.`)
    }
  }
  return Remote
}

function toTarget(url: string, tactic: string, options: RemoteOptions): RemoteTarget {
  const { headers = {}, apiKeyName, config, budgetUsd } = options
  if (apiKeyName !== undefined && !keyName.test(apiKeyName)) {
    throw new TypeError(`apiKeyName is the name of a key, not the key itself: it fits ${keyName.source}.`)
  }
  if (budgetUsd !== undefined && !(budgetUsd > 0 && budgetUsd <= budgetUsdMax)) {
    throw new TypeError(`budgetUsd is a number above 0, up to ${budgetUsdMax}.`)
  }
  if (typeof headers !== 'function') checkHeaders(headers)
  return {
    url: readServiceUrl(url),
    tactic,
    headers: typeof headers === 'function' ? headers : () => headers,
    ...(config === undefined ? {} : { config }),
    ...(apiKeyName === undefined ? {} : { apiKeyName }),
    ...(budgetUsd === undefined ? {} : { budgetPicoUsd: toPicoUsd(budgetUsd) }),
  }
}
