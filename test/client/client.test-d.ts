// Checked by `tsc`, never run: what whoever calls a service, or a tactic of one, is told by the compiler.
import { remoteTactic, Tactic } from 'lllm'
import {
  type BatchItem,
  type CallAnswer,
  type CostsAnswer,
  createClient,
  type ProblemRecord,
  type ServiceInfo,
  type SessionCost,
  type SessionItem,
  type SessionRecord,
  type StreamEvents,
  type TacticRecord,
} from 'lllm/client'
import { z } from 'zod'
import type { toSessionCostAnswer } from '../../src/http/cost-answer.ts'
import type { toEventRecord } from '../../src/http/event-record.ts'
import type { ServiceInfo as ServedInfo } from '../../src/http/http-app.ts'
import type { Problem } from '../../src/http/problem.ts'
import type { toSessionList } from '../../src/http/session-list.ts'
import type { toTacticRecord } from '../../src/http/tactic-record.ts'
import type CodeReview from '../../tactics/code-review.ts'
import type Researcher from '../../tactics/researcher.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_: Same<A, B>) => {}

const client = createClient({ url: 'http://localhost' })
const review = client.tactic<typeof CodeReview>('code_review')
const anything = client.tactic('code_review')

export async function calls() {
  const { result, session_id } = await review.call({ code: 'let x' })
  same<typeof result.verdict, 'approve' | 'comment' | 'request_changes'>(true)
  same<typeof session_id, string>(true)
  // @ts-expect-error a misspelt member of the task
  await review.call({ cod: 'let x' })
  // @ts-expect-error the task is an object
  await review.session('let x')
  // @ts-expect-error there is no such verdict
  void (result.verdict === 'aprove')
  // @ts-expect-error one task of a batch does not fit
  await review.batch([{ code: 'let x' }, { code: 7 }])
  await review.call({ code: 'let x' }, { idempotencyKey: 'a' })
  // @ts-expect-error a stream cannot be sent again
  review.stream({ code: 'let x' }, { idempotencyKey: 'a' })
  // @ts-expect-error options are in camelCase
  await review.call({ code: 'let x' }, { timeout_ms: 1 })

  // Without the type of the tactic, nothing is known of either side.
  same<Awaited<ReturnType<typeof anything.call>>, CallAnswer<unknown>>(true)
  same<Parameters<typeof anything.call>[0], unknown>(true)

  const { items } = await review.batch([{ code: 'let x' }])
  for (const item of items) {
    // @ts-expect-error only an item that succeeded has a result
    void item.result
    if (item.status === 'success') void item.result.verdict
    else void item.error.code
  }
  // @ts-expect-error a session is not among them: it was not asked for by this method
  void (await review.call({ code: 'let x' })).session
}

export async function streams() {
  const stream = review.stream({ code: 'let x' })
  for await (const event of stream) {
    if (event.type === 'agent.delta') same<typeof event.text, string>(true)
    // @ts-expect-error there is no such event
    if (event.type === 'agent.dleta') return
    // @ts-expect-error not every event has a text
    void event.text
  }
  same<Awaited<typeof stream.result>['result']['verdict'], 'approve' | 'comment' | 'request_changes'>(true)
  const [item] = await Array.fromAsync(review.batchStream([{ code: 'let x' }]))
  same<typeof item, BatchItem<Awaited<typeof stream.result>['result']> | undefined>(true)
}

export async function lookingBack() {
  // @ts-expect-error there is no such state
  await client.sessions.list({ state: 'failed' })
  // @ts-expect-error nor such a group
  const { data } = await client.costs({ groupBy: ['tacktic'] })
  void data[0]?.['tag.team']
  void (await client.costs({ groupBy: ['tactic_id', 'tag.team'] })).data[0]?.tactic_id
}

// A remote tactic has the types of its class, or of its schemas.
const research = remoteTactic<typeof Researcher>('http://localhost', 'researcher')
const counting = remoteTactic('http://localhost', 'count', { input: z.object({ of: z.string() }), output: z.int() })
const unknown = remoteTactic('http://localhost', 'unknown', { budgetUsd: 1 })
// @ts-expect-error a class and schemas would be two truths
void remoteTactic<typeof Researcher>('http://localhost', 'researcher', { output: z.int() })

export class Chief extends Tactic({ name: 'chief', tactics: { research, counting, unknown } }) {
  async call(task: string) {
    const facts = await this.tactics.research(task)
    same<typeof facts, string>(true)
    // @ts-expect-error the task of a remote tactic is checked
    await this.tactics.research(7)
    const count = await this.tactics.counting({ of: facts })
    same<typeof count, number>(true)
    // @ts-expect-error the task of a remote tactic is checked
    await this.tactics.counting({ off: facts })
    const nobodyKnows = await this.tactics.unknown({ any: 'thing' })
    same<typeof nobodyKnows, unknown>(true)
    return facts
  }
}

// What the service sends is what the client says that it sends.
const sent = <Record>(_: Record) => {}
declare const service: {
  readonly problem: Problem
  readonly tactic: ReturnType<typeof toTacticRecord>
  readonly sessions: ReturnType<typeof toSessionList>
  readonly cost: ReturnType<typeof toSessionCostAnswer>
  readonly packages: ServedInfo['packages']
  readonly event: ReturnType<typeof toEventRecord>
}
sent<ProblemRecord>(service.problem)
sent<TacticRecord>(service.tactic)
same<keyof TacticRecord, keyof typeof service.tactic>(true)
same<keyof ProblemRecord, keyof Problem>(true)
same<keyof SessionItem, keyof (typeof service.sessions.data)[number]>(true)
sent<readonly SessionItem[]>(service.sessions.data)
sent<ServiceInfo['packages']>(service.packages)
sent<SessionCost>(service.cost)
sent<StreamEvents[keyof StreamEvents]>(service.event)
void ({} as CostsAnswer | SessionRecord)
