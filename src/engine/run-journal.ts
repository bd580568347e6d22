import { createHash } from 'node:crypto'
import type { JournalEntry, JournalKind, JournalState, JournalWriter } from '../domain/journal.ts'
import { canonicalJson } from '../domain/json.ts'
import type { Session } from '../domain/session.ts'

/** Characters of a hash that are kept: 128 bits. */
const hashLength = 32

export interface RunJournalParts {
  readonly runId: string
  /** When the run was started for the first time since it was submitted or resumed. */
  readonly startedAtMs: number
  /** When it was submitted. */
  readonly createdAtMs: number
  /** What earlier attempts have written. */
  readonly entries: readonly JournalEntry[]
  readonly writer: JournalWriter
}

/** A place in the journal for something that is asked in this attempt. */
export interface JournalSlot {
  readonly key: string
  /** What an earlier attempt has written there. */
  readonly past: JournalEntry | undefined
  /** Resolves to what is written, when it is. */
  write(state: JournalState, record: unknown): Promise<JournalEntry>
}

/**
 * The journal of one attempt of a run. What is asked is found by a hash of its content and by how often the same was asked before in
 * this attempt; requests of the same content can take each other's place, and no others.
 */
export class RunJournal {
  readonly runId: string
  readonly startedAtMs: number
  readonly #createdAtMs: number
  readonly #writer: JournalWriter
  /** Entries of earlier attempts that this one has not asked for yet. */
  readonly #past: Map<string, JournalEntry>
  readonly #asked = new Map<string, number>()
  /** Replies of this attempt, their own or those of an earlier one, by the ids of their calls. */
  readonly #replies = new Map<string, JournalEntry>()
  readonly #leftBehind: Session[] = []

  constructor({ runId, startedAtMs, createdAtMs, entries, writer }: RunJournalParts) {
    this.runId = runId
    this.startedAtMs = startedAtMs
    this.#createdAtMs = createdAtMs
    this.#writer = writer
    this.#past = new Map(entries.map((entry) => [entry.key, entry]))
  }

  /** Opens the place of what is asked within a scope. */
  open(scope: string, kind: JournalKind, content: unknown): JournalSlot {
    const key = this.#countedKey(hashOf([scope, kind, content]))
    const past = this.#past.get(key)
    this.#past.delete(key)
    return {
      key,
      past,
      write: async (state, record) => {
        const entry = { key, kind, state, record: JSON.stringify(record) }
        await this.#writer.write([entry])
        return entry
      },
    }
  }

  /** Remembers which entry a reply is from, in case its agent makes nothing of it. */
  keepReply(callId: string, entry: JournalEntry): void {
    this.#replies.set(callId, entry)
  }

  /** Remembers sessions of calls that were lost with earlier attempts, and are made again in this one. */
  leaveBehind(sessions: readonly Session[]): void {
    this.#leftBehind.push(...sessions)
  }

  get leftBehind(): readonly Session[] {
    return this.#leftBehind
  }

  /** An id that is the same in each attempt: a UUIDv7 whose time is that of the run's creation. */
  stableId(scope: string, content: unknown): string {
    const hash = hashOf([this.runId, this.#countedKey(hashOf([scope, 'id', content]))])
    const time = Math.max(0, this.#createdAtMs).toString(16).padStart(12, '0').slice(-12)
    const variant = (8 + (Number.parseInt(hash.charAt(3), 16) % 4)).toString(16)
    const [first, second, third] = [hash.slice(0, 3), hash.slice(4, 7), hash.slice(7, 19)]
    return `${time.slice(0, 8)}-${time.slice(8)}-7${first}-${variant}${second}-${third}`
  }

  /** What earlier attempts have written and this one has not asked for. */
  leftovers(): readonly JournalEntry[] {
    return [...this.#past.values()]
  }

  /**
   * What has to change in the journal of a run that failed, so that it can go on elsewhere than against the same wall: replies of which
   * their agents made nothing are not used again once somebody resumes the run.
   */
  changesAfter(session: Session): readonly JournalEntry[] {
    return failedCallIds(session).flatMap((id) => {
      const entry = this.#replies.get(id)
      return entry === undefined ? [] : [{ ...entry, state: 'failed' as const }]
    })
  }

  #countedKey(hash: string): string {
    const occurrence = this.#asked.get(hash) ?? 0
    this.#asked.set(hash, occurrence + 1)
    return `${hash}.${occurrence}`
  }
}

/** The part of a journal that belongs to one call of a tactic. */
export interface CallJournal {
  readonly run: RunJournal
  /** Tells calls apart whose tactics or tasks differ. */
  readonly scope: string
  readonly tactic: string
  readonly tacticId: string
}

type NamedTactic = { readonly name: string; readonly id: string }

export function rootJournal(run: RunJournal, { name, id }: NamedTactic): CallJournal {
  return { run, scope: hashOf(['root', id]), tactic: name, tacticId: id }
}

export function childJournal({ run, scope }: CallJournal, { name, id }: NamedTactic, task: unknown): CallJournal {
  return { run, scope: hashOf([scope, id, task]), tactic: name, tacticId: id }
}

/** @returns The value that an earlier attempt had, or a new one, which later attempts will have. */
export async function steadyValue<Value>({ run, scope }: CallJournal, name: string, make: () => Value): Promise<Value> {
  const slot = run.open(scope, 'value', name)
  if (slot.past !== undefined) return JSON.parse(slot.past.record) as Value
  const value = make()
  await slot.write('done', value)
  return value
}

function failedCallIds({ agentCalls, subSessions }: Session): readonly string[] {
  const own = agentCalls
    .filter(({ state }) => state === 'failure')
    .flatMap(({ llmCalls }) => llmCalls.map(({ id }) => id))
  return [...own, ...subSessions.flatMap(failedCallIds)]
}

function hashOf(content: unknown): string {
  return createHash('sha256').update(canonicalJson(content)).digest('hex').slice(0, hashLength)
}
