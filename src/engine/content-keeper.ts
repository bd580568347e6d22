import { createHash } from 'node:crypto'
import type { ImageDigest } from '../domain/image-reference.ts'
import { type KeptSession, keepSession } from '../domain/kept-session.ts'
import { createRedactor, type Redactor } from '../domain/redact.ts'
import type { Session } from '../domain/session.ts'
import { leastOf, type StoreContent } from '../domain/store-content.ts'
import type { BoundConfig } from './engine.ts'

/** What may be kept of calls, whatever their configs say. */
export interface ContentPolicy {
  readonly most: StoreContent
  readonly redactor: Redactor
}

/** Makes of calls what may be kept of them. */
export interface ContentKeeper {
  /** What may be kept of calls with a config, and of the calls of sub-tactics in them: of what is not told apart, the least. */
  of(config: BoundConfig): StoreContent
  /** A session as it may be kept. */
  session(session: Session): KeptSession
  /** Whether anything would ever be taken out of a value. */
  redacts(content: StoreContent): boolean
  /** A value without the secrets that may not be kept: with `full` those that are known, else all. */
  value<Value>(value: Value, content: StoreContent): Value
  /** How much of a text that goes on can be kept by itself: what is left may be the beginning of a secret whose value is known. */
  toldLength(text: string): number
}

export function createContentKeeper(policy?: ContentPolicy): ContentKeeper {
  const { most, redactor } = policy ?? { most: 'full', redactor: createRedactor([]) }

  function contentOf({ storeContent, subTactics }: BoundConfig): StoreContent {
    return leastOf(most, storeContent, ...[...subTactics.values()].map(({ config }) => contentOf(config)))
  }

  return {
    of: contentOf,
    session: (session) => keepSession(session, { most, redactor, digestImage }),
    redacts: (content) => content !== 'full' || redactor.knowsAny,
    value: (value, content) => (content === 'full' ? redactor.knownIn(value) : redactor.allIn(value)),
    toldLength: redactor.toldLength,
  }
}

function digestImage(base64: string): ImageDigest {
  const image = Buffer.from(base64, 'base64')
  return { bytes: image.length, sha256: createHash('sha256').update(image).digest('hex') }
}
