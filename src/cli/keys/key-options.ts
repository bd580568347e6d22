import { z } from 'zod'
import { isScope, type KeyLimits, type Scope } from '../../domain/caller.ts'
import { LllmError } from '../../domain/errors.ts'
import { budgetUsdMax } from '../../domain/limits.ts'
import { readTenant } from '../tenant-option.ts'
import type { CreateKeyOptions } from './keys-command.ts'

const hourMs = 3_600_000
const unitsMs = { h: hourMs, d: 24 * hourMs } as const
const keptMsMax = 365 * unitsMs.d
const countMax = 1_000_000_000

/** What a key is to be, as the options say it. */
export interface AskedKey {
  readonly name: string
  readonly tenant: string
  readonly scopes: readonly Scope[]
  readonly limits: KeyLimits
  readonly expiresAtMs: number | null
}

const scopesDefault: readonly Scope[] = ['tactics:*:call', 'sessions:read', 'costs:read']

/** @throws LllmError `invalid-parameter` that names the option and what would be right. */
export function readKeyOptions(options: CreateKeyOptions, account: string, nowMs: number): AskedKey {
  const { name, scope = scopesDefault, expires } = options
  if (name.trim() === '' || name.length > 128) throw mistake('--name', 'a text of 1 to 128 characters')
  const tenant = readTenant(options.tenant)
  const scopes = scope.map((text) => {
    if (isScope(text)) return text
    throw mistake('--scope', 'tactics:<name>:call, tactics:*:call, sessions:read, costs:read or admin')
  })
  return { name, tenant, scopes, limits: readLimits(options, account), expiresAtMs: readEnd(expires, nowMs) }
}

function readLimits({ requestsPerMinute, concurrency, budgetUsd, per }: CreateKeyOptions, account: string): KeyLimits {
  if (per !== undefined && budgetUsd === undefined) throw mistake('--per', 'given together with --budget-usd')
  return {
    ...(requestsPerMinute === undefined
      ? {}
      : { requestsPerMinute: readCount('--requests-per-minute', requestsPerMinute) }),
    ...(concurrency === undefined ? {} : { concurrency: readCount('--concurrency', concurrency) }),
    ...(budgetUsd === undefined
      ? {}
      : { budget: { account, limitUsd: readUsd(budgetUsd), per: readPeriod(per ?? 'month') } }),
  }
}

function readCount(option: string, text: string): number {
  const count = z.coerce.number().int().min(1).max(countMax).safeParse(text)
  if (count.success && /^\d+$/.test(text)) return count.data
  throw mistake(option, `a whole number from 1 to ${countMax}`)
}

function readUsd(text: string): number {
  const usd = Number(text)
  if (/^\d+(\.\d+)?$/.test(text) && usd > 0 && usd <= budgetUsdMax) return usd
  throw mistake('--budget-usd', `a number above 0, up to ${budgetUsdMax}`)
}

function readPeriod(text: string): 'day' | 'month' {
  if (text === 'day' || text === 'month') return text
  throw mistake('--per', 'day or month')
}

function readEnd(text: string | undefined, nowMs: number): number | null {
  if (text === undefined) return null
  const durationMs = readDuration(text)
  const atMs = durationMs === undefined ? readDay(text) : nowMs + durationMs
  if (atMs !== undefined && atMs > nowMs) return atMs
  throw mistake('--expires', 'a time to come: 90d, 12h, or a day such as 2027-01-31 (UTC)')
}

/** @throws LllmError `invalid-parameter` */
export function readKeep(text = '24h'): number {
  const keptMs = readDuration(text)
  if (keptMs !== undefined && keptMs <= keptMsMax) return keptMs
  throw mistake('--keep', '0h to 365d')
}

/** Undefined: it is no duration. */
function readDuration(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,5})([hd])$/.exec(text) ?? []
  return count === undefined ? undefined : Number(count) * unitsMs[unit as keyof typeof unitsMs]
}

function readDay(text: string): number | undefined {
  const day = z.iso.date().safeParse(text)
  return day.success ? Date.parse(`${day.data}T00:00:00Z`) : undefined
}

function mistake(option: string, expects: string): LllmError {
  return new LllmError('invalid-parameter', `${option} must be ${expects}.`)
}
