import { setTimeout } from 'node:timers/promises'
import { LllmError } from '../domain/errors.ts'
import { schemaRefusals } from './schema-steps.ts'

/** The database is not one that this program can use. The message says why and what to do. */
export class PostgresUnusable extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'PostgresUnusable'
  }
}

const untrusted = 'The certificate of PostgreSQL is not trusted. Name its authority in LLLM_DATABASE: sslrootcert=….'
const unanswered = 'PostgreSQL does not answer. Check the network and LLLM_DATABASE.'
const cut = 'The connection to PostgreSQL was cut.'
const unheard = 'Nothing listens where PostgreSQL should be. Start it, or correct LLLM_DATABASE.'

/** By the code that PostgreSQL (https://www.postgresql.org/docs/current/errcodes-appendix.html) or Node gives, else by what the driver says. */
const advice: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', unheard],
  ['ENOENT', unheard],
  ['ENOTFOUND', 'The host of PostgreSQL has no address. Correct LLLM_DATABASE.'],
  ['EAI_AGAIN', 'The host of PostgreSQL has no address at the moment.'],
  ['ECONNRESET', cut],
  ['EPIPE', cut],
  ['Connection terminated', cut],
  ['Connection terminated unexpectedly', cut],
  ['ETIMEDOUT', unanswered],
  ['EHOSTUNREACH', unanswered],
  ['ENETUNREACH', unanswered],
  ['timeout expired', unanswered],
  ['Connection terminated due to connection timeout', unanswered],
  [
    'timeout exceeded when trying to connect',
    'PostgreSQL does not answer, or not soon enough for all that is asked of it.',
  ],
  [
    'The server does not support SSL connections',
    'PostgreSQL offers no TLS. Enable it, or set sslmode=disable in LLLM_DATABASE.',
  ],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', untrusted],
  ['SELF_SIGNED_CERT_IN_CHAIN', untrusted],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', untrusted],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', untrusted],
  ['CERT_HAS_EXPIRED', 'The certificate of PostgreSQL has expired.'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'The certificate of PostgreSQL is that of another host. Correct LLLM_DATABASE.'],
  [
    '08P01',
    'The proxy of PostgreSQL refuses the options of LLLM_DATABASE. Set them for its user instead: alter role … set search_path ….',
  ],
  ['28P01', 'PostgreSQL refuses the user or the password of LLLM_DATABASE.'],
  ['28000', 'PostgreSQL refuses the user of LLLM_DATABASE, or wants TLS: sslmode=verify-full.'],
  ['3D000', 'PostgreSQL has no such database. Create it, or correct LLLM_DATABASE.'],
  ['40001', 'Others changed the same rows at the same time, again and again.'],
  ['40P01', 'Others changed the same rows at the same time, again and again.'],
  ['42501', 'The user of LLLM_DATABASE may not do what is needed. Give it the right to create and change tables.'],
  ['42P07', schemaRefusals.foreign('database, or another schema')],
  ['53100', 'There is no space left for PostgreSQL. Free some, and saving goes on by itself.'],
  ['53300', 'PostgreSQL has no connection left. Raise its max_connections, or run fewer processes.'],
  ['55P03', 'A lock in PostgreSQL was held for too long by somebody else.'],
  ['57014', 'A statement took longer than it may.'],
  ['57P01', 'PostgreSQL is shutting down, or has ended the connection.'],
  ['57P02', 'PostgreSQL has crashed, and is starting up.'],
  ['57P03', 'PostgreSQL is starting up.'],
  ['25006', 'PostgreSQL takes no changes: it is a standby, or read-only.'],
])

/** Any error of the database as the one that stores promise. It quotes nothing: errors of the driver may name values and passwords. */
export function toStoreError(cause: unknown): LllmError {
  if (isRefusedValue(cause)) {
    const message = 'PostgreSQL never takes what it was given. The log has the cause.'
    return new LllmError('store-unavailable', message, { isPermanent: true }, { cause })
  }
  const message =
    cause instanceof PostgresUnusable
      ? cause.message
      : (advice.get(codeOf(cause)) ?? 'PostgreSQL failed, or does not answer. The log has the cause.')
  return new LllmError('store-unavailable', message, {}, { cause })
}

/** Whether an error is about the values of a row, so that other rows may still be written: data exceptions and constraints. */
export function isAboutRow(error: unknown): boolean {
  return /^(22|23)/.test(codeOf(error)) && !isOvertaken(error)
}

/** Whether nothing may be written where reading goes on: at a standby, by a user who only reads, or where no space is left. */
export function isAboutWriting(error: unknown): boolean {
  return /^(25006|42501|53100)$/.test(codeOf(error))
}

/** Whether what is in between does not take what a connection begins with. */
export function isAboutStartup(error: unknown): boolean {
  return codeOf(error) === '08P01'
}

/** Whether PostgreSQL will never take a value: it is none of its type, or larger than anything may be. */
function isRefusedValue(error: unknown): boolean {
  return /^(22|54)/.test(codeOf(error))
}

/**
 * Whether PostgreSQL undid a transaction in favour of another one, which may have written the same row for the first time. It may be
 * tried again.
 */
function isOvertaken(error: unknown): boolean {
  return /^(40001|40P01|23505)$/.test(codeOf(error))
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0])
  if (!(error instanceof Error)) return ''
  return 'code' in error && error.code !== undefined ? String(error.code) : error.message
}

/** Times that a piece of work is tried that PostgreSQL undoes in favour of others. */
const attemptsMax = 5
/** Before the first of the further tries, at the most. Doubled for each that follows. */
const pauseMaxMs = 20

/** Methods whose rejections are what stores promise. What others overtook is tried again: each method is a transaction, or reads. */
export function withStoreErrors<Methods extends object>(methods: Methods): Methods {
  const wrapped = Object.entries(methods).map(([name, method]) => [
    name,
    (...args: readonly unknown[]) =>
      withAttempts(() => (method as (...given: readonly unknown[]) => Promise<unknown>)(...args)),
  ])
  return Object.fromEntries(wrapped) as Methods
}

async function withAttempts<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt >= attemptsMax || !isOvertaken(error)) throw toStoreError(error)
    }
    // Not all at once again.
    await setTimeout(Math.random() * pauseMaxMs * 2 ** (attempt - 1))
  }
}
