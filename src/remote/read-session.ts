import { fromSessionRecord } from '../domain/from-session-record.ts'
import { isDeeperThan } from '../domain/json.ts'
import type { Session } from '../domain/session.ts'
import { hasSessionShape, nestingMax } from './session-shape.ts'

/**
 * The session of a remote call, from what a service sent that is not trusted.
 *
 * @param wantedId As which the service told of it.
 * @throws RangeError that says what does not hold. It repeats nothing of what was sent.
 */
export function readSession(sent: unknown, wantedId: string): Session {
  if (isDeeperThan(sent, nestingMax)) throw new RangeError(`It nests deeper than ${nestingMax} levels.`)
  if (!hasSessionShape(sent)) throw new RangeError('It does not have the shape of a session.')
  if (sent.id !== wantedId) throw new RangeError('It is another session than the one that was told of.')
  if (sent.state === 'running') throw new RangeError('It has not ended.')
  return fromSessionRecord(sent)
}
