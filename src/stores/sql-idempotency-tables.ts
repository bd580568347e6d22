import { type Kysely, type RawBuilder, type Selectable, sql, type Transaction } from 'kysely'
import {
  type KeptAnswer,
  type KeyClaim,
  type KeyedRequest,
  type KeyUse,
  keyKeptMs,
  keyLeaseMs,
} from '../domain/idempotency-store.ts'
import type { IdempotencyTables } from './idempotency-tables.ts'
import { judgeClaim, type KeyHolder, type KeyRow } from './key-row.ts'
import type { WholeNumber } from './sql-schema.ts'

/** Times are in ms since 1970. */
type KeyTable = {
  readonly key_hash: string
  readonly fingerprint: string
  readonly work_id: string
  readonly owner: string
  readonly alive_until: WholeNumber | null
  readonly expires_at: WholeNumber
  readonly holders: WholeNumber
  readonly status: WholeNumber | null
  /** A JSON object. */
  readonly headers: string | null
  readonly body: string | null
}

export type IdempotencyDatabase = {
  readonly idempotency_keys: KeyTable
}

export interface IdempotencyDialect {
  /** Whether several processes use the database at once, so that rows have to be locked. */
  readonly isShared: boolean
  /** What tells the time, in ms since 1970. */
  nowMs(): RawBuilder<number>
}

/** The time of a PostgreSQL, which all processes have in common. Not `now()`, which stands still in a transaction. */
export function databaseClock(): RawBuilder<number> {
  return sql`floor(extract(epoch from clock_timestamp()) * 1000)::bigint`
}

/** Times that a key may vanish between two looks at it: only when others let go of it just then. */
const vanishedMax = 10

/** The table of keys in any database that kysely speaks to. */
export function createSqlIdempotencyTables(
  db: Kysely<IdempotencyDatabase>,
  { isShared, nowMs }: IdempotencyDialect,
): IdempotencyTables {
  /** A use as the columns of a row, from now on. */
  function toColumns({ fingerprint, workId, joins }: KeyedRequest, owner: string) {
    return {
      fingerprint,
      work_id: workId,
      owner,
      alive_until: joins ? null : sql<number>`${nowMs()} + ${sql.lit(keyLeaseMs)}`,
      expires_at: sql<number>`${nowMs()} + ${sql.lit(keyKeptMs)}`,
      holders: 1,
    }
  }

  /** Takes a key that nobody has used: the usual case, in one statement. */
  async function begin(request: KeyedRequest, owner: string): Promise<boolean> {
    const { numInsertedOrUpdatedRows } = await db
      .insertInto('idempotency_keys')
      .values({ key_hash: request.keyHash, ...toColumns(request, owner) })
      .onConflict((conflict) => conflict.column('key_hash').doNothing())
      .executeTakeFirstOrThrow()
    return numInsertedOrUpdatedRows === 1n
  }

  /** Takes a key that is there, if it is free. Undefined: it is not there any more. */
  async function takeOver(
    transaction: Transaction<IdempotencyDatabase>,
    request: KeyedRequest,
    holder: KeyHolder,
  ): Promise<KeyClaim | undefined> {
    const { keyHash, workId } = request
    const query = transaction
      .selectFrom('idempotency_keys')
      .selectAll()
      .select(nowMs().as('now_ms'))
      .where('key_hash', '=', keyHash)
    const row = await (isShared ? query.forUpdate() : query).executeTakeFirst()
    if (row === undefined) return undefined
    const known = judgeClaim(toKeyRow(row), request, holder, Number(row.now_ms))
    const update = transaction.updateTable('idempotency_keys').where('key_hash', '=', keyHash)
    if (known === undefined) {
      const unanswered = { status: null, headers: null, body: null }
      await update.set({ ...toColumns(request, holder.owner), ...unanswered }).execute()
      return { kind: 'begun', workId }
    }
    if (known.kind === 'joined') await update.set({ holders: sql`holders + 1` }).execute()
    return known
  }

  const isUnderWay = ({ keyHash, workId }: KeyUse) =>
    sql<boolean>`key_hash = ${keyHash} and work_id = ${workId} and status is null`

  return {
    async claimKey(request, owner) {
      for (let vanished = 0; vanished < vanishedMax; vanished++) {
        if (await begin(request, owner)) return { kind: 'begun', workId: request.workId }
        const claim = await db
          .transaction()
          .execute((transaction) => takeOver(transaction, request, { owner, isShared }))
        if (claim !== undefined) return claim
      }
      throw new Error('The key was taken and released again and again.')
    },
    async completeKey(use, { status, headers, body }) {
      await db
        .updateTable('idempotency_keys')
        .set({ status, headers: JSON.stringify(headers), body })
        .set({ expires_at: sql<number>`${nowMs()} + ${sql.lit(keyKeptMs)}` })
        .where(isUnderWay(use))
        .execute()
    },
    releaseKey: (use) =>
      db.transaction().execute(async (transaction) => {
        const underWay = isUnderWay(use)
        await transaction.updateTable('idempotency_keys').set({ holders: sql`holders - 1` }).where(underWay).execute()
        await transaction.deleteFrom('idempotency_keys').where(underWay).where('holders', '<=', 0).execute()
      }),
    async beatKeys(owner) {
      await db
        .updateTable('idempotency_keys')
        .set({ alive_until: sql<number>`${nowMs()} + ${sql.lit(keyLeaseMs)}` })
        .where('owner', '=', owner)
        .where('status', 'is', null)
        .where('alive_until', 'is not', null)
        .execute()
    },
    async forgetKeys(limit) {
      const over = db
        .selectFrom('idempotency_keys')
        .select('key_hash')
        .where('expires_at', '<=', nowMs())
        .orderBy('expires_at')
        .limit(limit)
      // Others may be removing keys at the same time: each takes what the others leave.
      const query = isShared ? over.forUpdate().skipLocked() : over
      const { numDeletedRows } = await db
        .deleteFrom('idempotency_keys')
        .where('key_hash', 'in', query)
        .executeTakeFirstOrThrow()
      return Number(numDeletedRows)
    },
  }
}

type StoredKey = Selectable<KeyTable>

function toKeyRow(row: StoredKey): KeyRow {
  return {
    fingerprint: row.fingerprint,
    workId: row.work_id,
    owner: row.owner,
    aliveUntilMs: row.alive_until === null ? null : Number(row.alive_until),
    expiresAtMs: Number(row.expires_at),
    holders: Number(row.holders),
    answer: toAnswer(row),
  }
}

function toAnswer({ status, headers, body }: StoredKey): KeptAnswer | null {
  if (status === null) return null
  return { status: Number(status), headers: JSON.parse(String(headers)), body: String(body) }
}
