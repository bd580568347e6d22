import type { BudgetPeriod } from './budget.ts'
import { LllmError } from './errors.ts'
import type { RunKey } from './run.ts'
import { defaultTenant } from './tenant.ts'

/**
 * What somebody may do. `tactics:<name>:call` is to have a tactic work, by the shortest name that finds it, by `package::name`, or `*` for all of them;
 * `admin` is everything that there is within the tenant.
 */
export type Scope = `tactics:${string}:call` | 'sessions:read' | 'costs:read' | 'admin'

/** What one key may take at most. Left out: only what holds for everybody. */
export interface KeyLimits {
  /** Requests in any 60 seconds, 1 or more. */
  readonly requestsPerMinute?: number
  /**
   * Calls that may be under way at once in one process, and as many runs over all processes, 1 or more. A batch counts as many as it has
   * workers.
   */
  readonly concurrency?: number
  /** What its calls and runs may cost in each day or month (UTC). */
  readonly budget?: KeyBudget
}

/** A budget of one key, and of those that come in its place. */
export interface KeyBudget {
  /** By what is kept what was spent: the id of the first of these keys. */
  readonly account: string
  /** More than 0, up to 1,000,000. */
  readonly limitUsd: number
  readonly per: BudgetPeriod
}

/** Who asks. */
export interface Caller {
  /** Whose sessions, runs and costs it is about. */
  readonly tenant: string
  /** The id of the key, or the subject of the token. Null: nobody had to say who he is. */
  readonly keyId: string | null
  /** Whether `keyId` names a key of the store, which may be revoked later: of a token nobody hears any more. */
  readonly isRevocable?: true
  readonly scopes: readonly Scope[]
  readonly limits: KeyLimits
}

/** Whoever calls where nobody has to say who he is. */
export const operator: Caller = { tenant: defaultTenant, keyId: null, scopes: ['admin'], limits: {} }

/** The key that what somebody has run is of. Undefined: there is none that could be revoked. */
export function runKeyOf({ keyId, isRevocable, limits }: Caller): RunKey | undefined {
  if (isRevocable !== true || keyId === null) return undefined
  return { id: keyId, concurrency: limits.concurrency ?? null }
}

const callScope = /^tactics:([A-Za-z0-9_.:@/-]{1,256}|\*):call$/

export function isScope(text: string): text is Scope {
  return text === 'sessions:read' || text === 'costs:read' || text === 'admin' || callScope.test(text)
}

function hasScope({ scopes }: Caller, scope: Scope): boolean {
  return scopes.includes('admin') || scopes.includes(scope)
}

/** Whether it may look at what was asked and answered. */
export function mayRead(caller: Caller): boolean {
  return hasScope(caller, 'sessions:read')
}

/** Whether there is any tactic that it may call. */
export function mayCallSome({ scopes }: Caller): boolean {
  return scopes.some((scope) => scope === 'admin' || callScope.test(scope))
}

/** What scopes name a tactic by. */
export interface NamedTactic {
  /** The shortest name that finds it. A bare name is that of one tactic, whatever others are called in their packages. */
  readonly address: string
  /** `package::name` */
  readonly id: string
}

export function mayCall({ scopes }: Caller, { address, id }: NamedTactic): boolean {
  const fitting: readonly Scope[] = ['admin', 'tactics:*:call', `tactics:${address}:call`, `tactics:${id}:call`]
  return scopes.some((scope) => fitting.includes(scope))
}

/** @throws LllmError `forbidden`, which names the scope that it takes. */
export function expectMayCall(caller: Caller, tactic: NamedTactic): void {
  if (!mayCall(caller, tactic)) throw lacking(`tactics:${tactic.address}:call`)
}

/** @throws LllmError `forbidden`, which names the scope. */
export function expectScope(caller: Caller, scope: Scope): void {
  if (!hasScope(caller, scope)) throw lacking(scope)
}

export function lacking(scope: string): LllmError {
  return new LllmError('forbidden', `The key does not have the scope ${scope}, which this takes.`, { scope })
}
