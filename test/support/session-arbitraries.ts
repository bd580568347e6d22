import fc from 'fast-check'
import type { Price } from '../../src/domain/cost.ts'
import type { Session } from '../../src/domain/session.ts'
import { buildSession, type CallSketch, testStartMs } from './sessions.ts'

const tokens = fc.nat({ max: 2_000_000 })

/** At most $1 a call, so that the sum of one session is a whole number that JavaScript holds. */
const wildPrice: fc.Arbitrary<Price | null> = fc.option(
  fc.record({ promptPicoUsd: fc.nat({ max: 1e12 }), completionPicoUsd: fc.nat({ max: 1e12 }) }),
)

const wildCall: fc.Arbitrary<CallSketch> = fc.record({
  agent: fc.constantFrom('writer', 'editor', 'critic'),
  model: fc.constantFrom('gpt-4o', 'gpt-4o-mini'),
  usage: fc.record({ promptTokens: tokens, completionTokens: tokens, reasoningTokens: tokens }),
  price: wildPrice,
})

const wildTags = fc.dictionary(
  fc.constantFrom('team', 'env', '__proto__', '🐝'),
  fc.string({ unit: 'binary', maxLength: 3 }),
)

/** A session with sub-sessions to a small depth, whose cost is the sum of its tree. */
export const wildSession: fc.Arbitrary<Session> = fc.letrec<{ session: Session }>((tie) => ({
  session: fc
    .record({
      tactic: fc.constantFrom('essay', 'review', 'research'),
      startedAtMs: fc.nat({ max: 3 * 86_400_000 }).map((offsetMs) => testStartMs + offsetMs),
      tags: wildTags,
      calls: fc.array(wildCall, { maxLength: 3 }),
      subSessions: fc.oneof({ maxDepth: 2 }, fc.constant([]), fc.array(tie('session'), { maxLength: 2 })),
    })
    .map(buildSession),
})).session
