import { LllmError } from '../domain/errors.ts'

/** The database is not one that this program can use. The message says why and what to do. */
export class PostgresUnusable extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'PostgresUnusable'
  }
}

/** By the code that PostgreSQL (https://www.postgresql.org/docs/current/errcodes-appendix.html) or Node gives. */
const advice: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'Nothing listens where PostgreSQL should be. Start it, or correct LLLM_DATABASE.'],
  ['ENOTFOUND', 'The host of PostgreSQL has no address. Correct LLLM_DATABASE.'],
  ['EAI_AGAIN', 'The host of PostgreSQL has no address at the moment.'],
  ['ECONNRESET', 'The connection to PostgreSQL was cut.'],
  ['ETIMEDOUT', 'PostgreSQL does not answer. Check the network and LLLM_DATABASE.'],
  ['28P01', 'PostgreSQL refuses the user or the password of LLLM_DATABASE.'],
  ['28000', 'PostgreSQL refuses the user of LLLM_DATABASE.'],
  ['3D000', 'PostgreSQL has no such database. Create it, or correct LLLM_DATABASE.'],
  ['42501', 'The user of LLLM_DATABASE may not do what is needed. Give it the right to create and change tables.'],
  ['53100', 'There is no space left for PostgreSQL. Free some, and saving goes on by itself.'],
  ['53300', 'PostgreSQL has no connection left. Raise its max_connections, or run fewer processes.'],
  ['57P01', 'PostgreSQL is shutting down, or has ended the connection.'],
  ['57P03', 'PostgreSQL is starting up.'],
  ['25006', 'PostgreSQL takes no changes: it is a standby, or read-only.'],
])

/** Any error of the database as the one that stores promise. It quotes nothing: errors of the driver may name values and passwords. */
export function toStoreError(cause: unknown): LllmError {
  const message =
    cause instanceof PostgresUnusable
      ? cause.message
      : (advice.get(codeOf(cause)) ?? 'PostgreSQL failed, or does not answer. The log has the cause.')
  return new LllmError('store-unavailable', message, {}, { cause })
}

/** Whether an error is about the values of a row, so that other rows may still be written: data exceptions and constraints. */
export function isAboutRow(error: unknown): boolean {
  return /^(22|23)/.test(codeOf(error))
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0])
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
}

/** Methods whose rejections are what stores promise. */
export function withStoreErrors<Methods extends object>(methods: Methods): Methods {
  const wrapped = Object.entries(methods).map(([name, method]) => [
    name,
    async (...args: readonly unknown[]) => {
      try {
        return await (method as (...given: readonly unknown[]) => Promise<unknown>)(...args)
      } catch (error) {
        throw toStoreError(error)
      }
    },
  ])
  return Object.fromEntries(wrapped) as Methods
}
