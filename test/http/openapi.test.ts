import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { createClient } from '@hey-api/openapi-ts'
import { expect, onTestFinished, test } from 'vitest'
import { listen, openService } from './service.ts'

const run = promisify(execFile)
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const tool = (name: string) => here(`../../node_modules/.bin/${name}`)

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lllm-openapi-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId: string }>>>>
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> }
}

async function readDocument(): Promise<Document> {
  const { server } = await openService({ isLoud: true })
  return (await server.inject('/openapi.json')).json()
}

test('each tactic has paths of its own, with the schemas of its task and result', async () => {
  const { openapi, paths, components } = await readDocument()
  expect(openapi).toMatch(/^3\.1\./)
  expect(Object.keys(paths)).toEqual([
    '/batches',
    '/batches/{id}',
    '/batches/{id}/cancel',
    '/batches/{id}/results',
    '/budgets',
    '/costs',
    '/docs/errors/{code}',
    '/healthz',
    '/info',
    '/metrics',
    '/openapi.json',
    '/readyz',
    '/runs',
    '/runs/{id}',
    '/runs/{id}/cancel',
    '/runs/{id}/deliveries',
    '/runs/{id}/deliveries/{delivery_id}/redeliver',
    '/runs/{id}/events',
    '/runs/{id}/resume',
    '/runs/{id}/wait',
    '/schedules',
    '/sessions',
    '/sessions/{id}',
    '/sessions/{id}/cost',
    '/tactics',
    '/tactics/broken',
    '/tactics/broken/batch',
    '/tactics/broken/batch/stream',
    '/tactics/broken/batches',
    '/tactics/broken/runs',
    '/tactics/broken/stream',
    '/tactics/count-nodes',
    '/tactics/count-nodes/batch',
    '/tactics/count-nodes/batch/stream',
    '/tactics/count-nodes/batches',
    '/tactics/count-nodes/runs',
    '/tactics/count-nodes/stream',
    '/tactics/loud::shout',
    '/tactics/loud::shout/batch',
    '/tactics/loud::shout/batch/stream',
    '/tactics/loud::shout/batches',
    '/tactics/loud::shout/runs',
    '/tactics/loud::shout/stream',
    '/tactics/shout',
    '/tactics/shout/batch',
    '/tactics/shout/batch/stream',
    '/tactics/shout/batches',
    '/tactics/shout/runs',
    '/tactics/shout/stream',
    '/tactics/{name}',
  ])
  expect(paths['/tactics/count-nodes']?.['post']).toMatchObject({
    operationId: 'callCountNodes',
    description: 'Counts the nodes of a tree and shouts its label.',
    requestBody: {
      content: { 'application/json': { examples: { example1: { value: { task: { label: 'root' } } } } } },
    },
  })
  // What was recursive within its own schema is so as a part of the document.
  expect(components.schemas['CountNodesTask']).toMatchObject({
    properties: { children: { items: { $ref: '#/components/schemas/CountNodesTask' } } },
  })
})

test('what a reader is shown as an example could be true', async () => {
  const { Session, Problem, BatchCounts } = (await readDocument()).components.schemas
  expect(Session).toMatchObject({ properties: { started_at: { format: 'date-time', examples: [expect.any(String)] } } })
  // Pages make up nonsense from the pattern of a time, and from the bounds of a number.
  expect(Session).not.toHaveProperty('properties.started_at.pattern')
  expect(Problem).toMatchObject({ properties: { status: { minimum: 400, maximum: 599 } } })
  expect(BatchCounts).toMatchObject({ properties: { success: { minimum: 0 } } })
})

test('a linter finds neither errors nor warnings', async () => {
  const folder = await makeFolder()
  const file = join(folder, 'openapi.json')
  await writeFile(file, JSON.stringify(await readDocument()))
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
  const { stdout } = await run(tool('redocly'), ['lint', '--format=json', file], { cwd: folder, env })
  expect(JSON.parse(stdout)).toMatchObject({ totals: { errors: 0, warnings: 0 } })
})

test('a generated client type-checks and works on every route', async () => {
  const service = await openService({ isLoud: true })
  const baseUrl = await listen(service)
  const folder = await makeFolder()
  await createClient({
    input: `${baseUrl}/openapi.json`,
    output: { path: join(folder, 'client'), importFileExtension: '.js' },
    plugins: ['@hey-api/client-fetch', '@hey-api/typescript', '@hey-api/sdk'],
    logs: { level: 'silent' },
  })
  await copyFile(here('./client-use.txt'), join(folder, 'client-use.ts'))
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  const flags = [
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'esnext',
    '--lib',
    'esnext,dom,dom.iterable',
    '--types',
    '',
  ]
  await run(tool('tsc'), [...flags, '--skipLibCheck', '--outDir', join(folder, 'out'), 'client-use.ts'], {
    cwd: folder,
  })

  const { useService } = await import(pathToFileURL(join(folder, 'out', 'client-use.js')).href)
  const { sessionId, ...seen } = await useService(baseUrl)
  expect(seen).toMatchObject({
    result: { count: 2, label: 'ROOT' },
    text: 'HELLO',
    loudText: 'HELLO',
    streamed: 'HELLO',
    lastNames: ['result', 'end'],
    lineCount: 3,
    counts: { success: 2, failure: 0, cancelled: 0, skipped: 0 },
    problem: { code: 'tactic-failed', status: 500 },
    wrongTask: { code: 'invalid-task', errors: [{ pointer: '/task' }] },
    subSessions: ['shout'],
    listedIds: [sessionId],
    statuses: [...Array(15).fill(200), 204],
    requestId: 'client-1',
    runs: {
      runResult: { count: 1, label: 'ROOT' },
      runEnd: ['result', 'end'],
      queued: ['queued'],
      reason: 'an example',
      conflict: 'run-conflict',
      location: true,
      resultCount: 2,
      runStatuses: [202, 200, 202, 200, 409, 202, 202, 202, 200, 200, 200, 200, 202, 204],
    },
  })
})
