// Checked by `tsc`, never run: what whoever calls a service, or a tactic of one, is told by the compiler.
import { type OutputOf, remoteTactic, Tactic } from 'lllm'
import {
  type BatchItem,
  type CallAnswer,
  type CostsAnswer,
  createClient,
  type ProblemRecord,
  type RunBatchRecord,
  type RunItem,
  type RunRecord,
  type RunResult,
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
import type { toRunBatchRecord, toRunListItem, toRunRecord, toRunResult } from '../../src/http/run-record.ts'
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

export async function runs() {
  const run = await review.run({ code: 'let x' }, { priority: 1, runAt: new Date(), idempotencyKey: 'a' })
  // @ts-expect-error a misspelt member of the task
  await review.run({ cod: 'let x' })
  // @ts-expect-error of a batch each run has a budget
  await review.runBatch([{ code: 'let x' }], { budgetUsd: 1 })
  const ended = await run.wait()
  // @ts-expect-error only a run that succeeded has a result
  void ended.result.verdict
  if (ended.state === 'success') same<typeof ended.result.verdict, 'approve' | 'comment' | 'request_changes'>(true)
  else void ended.error.code
  for await (const event of run.events()) {
    if (event.type === 'agent.delta') same<typeof event.text, string>(true)
    if (event.type === 'result') same<typeof event.result.verdict, 'approve' | 'comment' | 'request_changes'>(true)
    if (event.type === 'error') same<typeof event.problem, ProblemRecord>(true)
  }
  const found = await client.runs.handle<typeof CodeReview>('x').get()
  same<typeof found, RunRecord<OutputOf<typeof CodeReview>>>(true)
  const [result] = await Array.fromAsync((await review.runBatch([{ code: 'let x' }])).results())
  same<typeof result, RunResult<OutputOf<typeof CodeReview>> | undefined>(true)
  // @ts-expect-error there is no such state
  await client.runs.list({ state: 'done' })
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
  readonly run: ReturnType<typeof toRunRecord>
  readonly runItem: ReturnType<typeof toRunListItem>
  readonly runBatch: ReturnType<typeof toRunBatchRecord>
  readonly runResult: ReturnType<typeof toRunResult>
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
same<keyof RunRecord, keyof typeof service.run>(true)
same<keyof RunItem, keyof typeof service.runItem>(true)
same<keyof RunBatchRecord, keyof typeof service.runBatch>(true)
sent<RunItem>(service.runItem)
sent<RunBatchRecord>(service.runBatch)
sent<Omit<RunRecord, 'state' | 'result' | 'error'>>(service.run)
sent<Pick<RunResult, 'run_id' | 'status' | 'cost_usd'>>(service.runResult)
void ({} as CostsAnswer | SessionRecord)
