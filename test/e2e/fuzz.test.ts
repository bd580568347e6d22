import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { isErrorCode } from '../../src/http/error-page.ts'
import { type Problem, problemKinds } from '../../src/http/problem.ts'
import { type ApiDocument, hostileRequest } from './support/hostile-requests.ts'
import { type RawAnswer, type RawRequest, sendRaw } from './support/raw-http.ts'
import { projectFolder, startService, type TestService } from './support/service.ts'

const requestCount = Number(process.env['LLLM_TEST_FUZZ'] ?? 240)
const atOnce = 20
/** A run of the suite sends what the run before has sent; a large one looks for something new. */
const seed = process.env['LLLM_TEST_FUZZ'] === undefined ? { seed: 20_261_127 } : {}

/** What callers may bring about by what they ask for: a time limit that is too short for anything, and nothing else. */
const serverErrorsByDesign: ReadonlySet<unknown> = new Set(['deadline-exceeded'])
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const leaks = new RegExp(`${projectFolder}|node_modules|\\n\\s+at |\\.[jt]s:\\d+:\\d+|whsec_|node:internal|SQLITE_`)

/** The connections that the well-behaved client of this test keeps open. */
const keptAlive = 10

function connectionCount({ server }: TestService): Promise<number> {
  return new Promise((resolve) => server.server.getConnections((_error, count) => resolve(count)))
}

/** Something of each kind, so that some requests find what they are about. */
async function prepare({ call, post }: TestService): Promise<readonly string[]> {
  const session = await call('summarizer', 'a')
  const run = await post<{ id: string }>('/tactics/summarizer/runs', { task: 'a' })
  const batch = await post<{ id: string }>('/tactics/summarizer/batches', { tasks: ['a'] })
  return [session.body.session_id, run.body.id, batch.body.id].map(String)
}

/** What is wrong with an answer, in words; undefined: nothing is. */
function findFault({ method, isCut }: RawRequest, { status, headers, body }: RawAnswer): string | undefined {
  if (status === 0) return isCut ? undefined : 'no answer'
  if (leaks.test(body)) return 'it tells what is nobody else’s business'
  if (status < 400 || method === 'HEAD') return undefined
  if (headers.get('content-type')?.startsWith('application/problem+json') !== true) return 'it is no problem+json'
  const problem: Problem = JSON.parse(body)
  if (!isErrorCode(problem.code)) return `"${problem.code}" is no code`
  if (problem.status !== status || problemKinds[problem.code].status !== status) return 'the code has another status'
  return status >= 500 && !serverErrorsByDesign.has(problem.code) ? 'the service takes the blame' : undefined
}

test('whatever is sent, the service stays, and answers with a problem that is the caller’s own', async () => {
  const service = await startService({ env: { LLLM_WEBHOOK_SECRETS: secret, LLLM_BODY_LIMIT_BYTES: '100000' } })
  const document = (await service.get<ApiDocument & Record<string, unknown>>('/openapi.json')).body
  const requests = fc.array(hostileRequest(document, await prepare(service)), { minLength: atOnce, maxLength: atOnce })
  const statuses = new Map<number, number>()
  await fc.assert(
    fc.asyncProperty(requests, async (sent) => {
      const answers = await Promise.all(sent.map((request) => sendRaw(service.url, request)))
      for (const [index, answer] of answers.entries()) {
        const request = sent[index] as RawRequest
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
        const fault = findFault(request, answer)
        if (fault === undefined) continue
        expect.fail(`${fault}: ${JSON.stringify({ answer, ...request, body: String(request.body) }).slice(0, 4_000)}`)
      }
    }),
    // To make a failure smaller takes longer than to read it.
    { numRuns: Math.ceil(requestCount / atOnce), endOnFailure: true, ...seed },
  )
  // It got behind the first checks, too.
  expect([...statuses.keys()]).toEqual(expect.arrayContaining([200, 202, 400, 404, 405, 406, 413, 415, 422]))
  expect((await service.call('summarizer', 'a')).status).toBe(200)
  await vi.waitFor(() => expect(service.server.lllm.shutdown.callsUnderWay).toBe(0))
  await vi.waitFor(async () => expect(await connectionCount(service)).toBeLessThanOrEqual(keptAlive))
  expect(service.logLines.filter(({ level }) => Number(level) >= 50)).toEqual([])
  if (process.env['LLLM_TEST_FUZZ'] !== undefined) process.stdout.write(`${JSON.stringify([...statuses].sort())}\n`)
}, 600_000)
