import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { callsTool, type ProviderRequest, says, status } from '../support/scripted-provider.ts'
import { canaries, canaryPackage } from './support/canary-package.ts'
import { writePackage } from './support/package.ts'
import { providerKey, scripted, startService } from './support/service.ts'
import { spawnProcess, spawnService } from './support/spawned-service.ts'
import { openTraceReceiver } from './support/trace-receiver.ts'

/** The first request of a call asks for the tool, if there is one; what it gave is said again, unless a run is to have a harmless result. */
function answer({ lastText, toolNames, messages }: ProviderRequest) {
  const wasCalled = messages.some(({ role }) => role === 'tool')
  if (messages.some((message) => JSON.stringify(message).includes('fail'))) {
    return status(500, { body: { error: { message: `${canaries.provider} ${canaries.providerKey}` } } })
  }
  const [tool] = toolNames
  if (tool !== undefined && !wasCalled) return callsTool(tool, tool === 'lookup' ? { word: canaries.task } : {})
  return wasCalled ? says('fine') : says(`heard ${lastText}`)
}

/** What is said is a canary as it is, or in Base64. */
const found = (text: string) => /.{0,40}(?:canary|Y2FuYXJ5).{0,40}/is.exec(text)?.[0]

test('secrets and private texts turn up in no log, error or trace, in no answer about the service, and in none of its files', async () => {
  const provider = await scripted(answer)
  const receiver = await openTraceReceiver()
  const folder = await writePackage(canaryPackage)
  const service = await spawnService({
    folder,
    provider,
    database: join(folder, 'lllm.db'),
    env: {
      ...receiver.env,
      LLLM_TRACE_CONTENT: 'true',
      OTEL_EXPORTER_OTLP_HEADERS: `x-team=${canaries.collector}`,
      LLLM_LOG_LEVEL: 'trace',
      OPENAI_API_KEY: canaries.providerKey,
      LLLM_API_KEY_OTHER: canaries.otherKey,
      LLLM_WEBHOOK_SECRETS: canaries.webhook,
      LLLM_REDACT: 'NAMED_SECRET',
      NAMED_SECRET: canaries.named,
    },
  })
  const said: string[] = []

  async function ask(path: string, body?: unknown, more: Readonly<Record<string, string>> = {}) {
    const headers = {
      authorization: canaries.caller,
      cookie: canaries.query,
      'content-type': 'application/json',
      ...more,
    }
    const sent = typeof body === 'string' ? body : JSON.stringify(body)
    const init = body === undefined ? { headers } : { method: 'POST', headers, body: sent }
    const response = await fetch(service.url + path, init)
    return { status: response.status, text: await response.text() }
  }
  /** Asks for something that may tell no secret, and looks into it at the end. */
  async function hear(path: string, expected: number, body?: unknown, more?: Readonly<Record<string, string>>) {
    const heard = await ask(path, body, more)
    expect(heard.status, heard.text).toBe(expected)
    said.push(heard.text)
    return heard.text
  }

  // Calls that succeed.
  const once = { 'idempotency-key': canaries.idempotencyKey }
  await hear('/tactics/private', 200, { task: canaries.task, metadata: { note: canaries.task } }, once)
  await hear('/tactics/private', 422, { task: canaries.task, metadata: { note: canaries.task } }, once)
  await hear('/tactics/private', 200, { task: canaries.task, return_session: true })
  await hear('/tactics/private/batch', 200, { tasks: [canaries.task, canaries.task] })
  await ask('/tactics/private/stream', { task: canaries.task })
  await ask('/tactics/leaky', { task: canaries.shape })
  await ask('/tactics/careful', { task: `${canaries.shape} password=${canaries.query}` })
  // Runs, of which one is asked for twice.
  const keyed = { 'idempotency-key': `${canaries.idempotencyKey}-run` }
  // So long that a database has no place for it beside other things.
  const long = { task: `${canaries.task} `.repeat(500) }
  const run = JSON.parse((await ask('/tactics/private/runs', long, keyed)).text)
  await hear(`/runs/${run.id}/wait?timeout_ms=10000`, 200)
  const again = await hear('/tactics/private/runs', 202, long, keyed)
  expect(JSON.parse(again)).toMatchObject({ id: run.id, state: 'success', task: null, result: 'fine', content: 'none' })
  await hear(`/runs/${run.id}/events`, 200)
  // Failures of all kinds.
  await hear('/tactics/private', 502, { task: `fail ${canaries.task}` })
  const failing = JSON.parse((await ask('/tactics/private/runs', { task: `fail ${canaries.task}` })).text)
  await hear(`/runs/${failing.id}/wait?timeout_ms=10000`, 200)
  await hear(`/runs/${failing.id}/resume`, 409, {})
  await hear('/tactics/broken', 500, { task: 'x' })
  await hear('/tactics/private', 400, `{"task": "${canaries.task}`)
  await hear('/tactics/private', 422, { task: [canaries.task] })
  await hear('/tactics/private', 422, { task: 'x', limits: canaries.task })
  await hear(`/tactics/${canaries.shape}`, 404, { task: 'x' })
  await hear(`/sessions?token=${canaries.query}`, 400)
  // What the service tells of itself, and of what was.
  for (const path of ['/info', '/openapi.json', '/metrics', '/costs', '/sessions', '/runs', '/healthz', '/tactics'])
    await hear(path, 200)
  const { data } = JSON.parse(await hear('/sessions?limit=100', 200)) as { data: readonly { id: string }[] }
  const sessions = await Promise.all(data.map(async ({ id }) => JSON.parse(await hear(`/sessions/${id}`, 200))))
  service.kill('SIGTERM')
  const { stdout, stderr } = await service.exited

  expect(provider.requests.some(({ text }) => text.includes(canaries.tool))).toBe(true)
  expect(sessions.filter(({ content }) => content === 'none').length).toBeGreaterThanOrEqual(7)
  expect(sessions.find(({ tactic }) => tactic === 'leaky')).toMatchObject({
    result: { found: '[redacted]', nested: [{ '[redacted]': ['[redacted]'] }] },
  })
  expect(sessions.find(({ tactic }) => tactic === 'careful')).toMatchObject({
    task: '[redacted] password=[redacted]',
    content: 'redacted',
  })
  expect(stdout).toContain('It broke with [redacted]')
  expect(stdout).toContain('Authorization: [redacted]')
  // The one text that everything may be kept of is what looks like a secret, and is not one of this service.
  const without = (text: string) => text.replaceAll(canaries.shape, '')
  for (const text of said) expect(found(without(text))).toBeUndefined()
  expect(found(stdout + stderr)).toBeUndefined()
  const traces = JSON.stringify(receiver.trees())
  expect(traces).toContain('password=[redacted]')
  expect(found(traces)).toBeUndefined()
  const files = (await readdir(folder)).filter((name) => name.startsWith('lllm.db'))
  expect(files).toContain('lllm.db')
  for (const name of files) expect(found(without(await readFile(join(folder, name), 'latin1'))), name).toBeUndefined()
}, 30_000)

test('a logger of somebody else is told no secrets either', async () => {
  const provider = await scripted(() => 'fine')
  const service = await startService({ provider, folder: await writePackage(canaryPackage) })
  const key = process.env['OPENAI_API_KEY']
  process.env['OPENAI_API_KEY'] = providerKey
  onTestFinished(() => {
    if (key === undefined) delete process.env['OPENAI_API_KEY']
    else process.env['OPENAI_API_KEY'] = key
  })
  expect(await service.call('broken', 'x')).toMatchObject({ status: 500 })
  const told = JSON.stringify(service.logLines)
  expect(told).toContain('It broke with [redacted]')
  expect(told).toContain('Authorization: [redacted]')
})

test('the password of a database that cannot be reached is told to nobody', async () => {
  const folder = await writePackage(canaryPackage)
  const database = 'postgres://lllm:canary%2Fpassword@127.0.0.1:1/lllm'
  const { exited } = spawnProcess({ folder, database, env: { LLLM_LOG_LEVEL: 'trace' } })
  const { code, stdout, stderr } = await exited
  expect(code).toBe(1)
  expect(stderr).toContain('127.0.0.1')
  expect(found(stdout + stderr)).toBeUndefined()
}, 30_000)
