import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openRedactor } from '../src/open-redactor.ts'
import { redactedOutput } from '../src/process/redacted-output.ts'
import { readSettings } from '../src/settings.ts'

const webhookSecret = 'whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz'

test('secrets are what the settings hold, what libraries read, and what LLLM_REDACT names', () => {
  const { secrets, warnings } = readSettings({
    OPENAI_API_KEY: 'canary-provider',
    OPENAI_BASE_URL: 'https://proxy:canary-base@host/v1',
    LLLM_API_KEY_OTHER: 'canary-other=',
    LLLM_DATABASE: 'postgres://lllm:canary%2Fbase@host/lllm',
    LLLM_WEBHOOK_SECRETS: `${webhookSecret}, ${webhookSecret}`,
    PGPASSWORD: 'canary-pg',
    OTEL_EXPORTER_OTLP_HEADERS: 'x-team=canary-team,authorization=Bearer%20canary-otel',
    LLLM_REDACT: 'SHOP_TOKEN, SHOP_URL',
    SHOP_TOKEN: 'canary-shop',
    SHOP_URL: 'https://shop:canary-shop-password@host',
  })
  const expected = [
    'canary-provider',
    'canary-base',
    'canary-other=',
    'canary%2Fbase',
    'canary/base',
    webhookSecret,
    webhookSecret.slice('whsec_'.length),
    'canary-pg',
    'canary-team',
    'Bearer canary-otel',
    'canary-otel',
    'canary-shop',
    'canary-shop-password',
  ]
  expect(secrets).toEqual(expect.arrayContaining(expected))
  expect(warnings).toEqual([])
})

test('the path of a database is no secret', () => {
  expect(
    readSettings({ LLLM_DATABASE: './data/lllm.db', OPENAI_BASE_URL: 'http://127.0.0.1:8000/v1' }).secrets,
  ).toEqual([])
})

test('a secret that is too short, and a variable that is not set, are told of at the start', () => {
  const { secrets, warnings } = readSettings({
    LLLM_API_KEY_X: 'short',
    LLLM_DATABASE: 'postgres://lllm:lllm@host/lllm',
    LLLM_REDACT: 'NOT_THERE',
  })
  expect(secrets).toEqual([])
  expect(warnings).toEqual([
    expect.stringContaining('LLLM_API_KEY_X holds a secret of fewer than 8 characters'),
    expect.stringContaining('LLLM_DATABASE holds a secret of fewer than 8 characters'),
    'LLLM_REDACT names NOT_THERE, which is not set.',
  ])
  expect(warnings.join()).not.toContain('short,')
})

test('the headers and variables of MCP servers that are secret by their names are known, others are not', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lllm-secrets-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'mcp.json')
  const mcpServers = {
    far: { url: 'https://host/mcp', headers: { authorization: 'Bearer canary-mcp', 'x-region': 'north-west' } },
    near: { command: 'node', env: { SHOP_TOKEN: 'canary-env', NODE_ENV: 'production' } },
  }
  await writeFile(file, JSON.stringify({ mcpServers }))
  const redactor = await openRedactor({ secrets: [], mcpFile: file, outboundAllow: undefined })
  expect(redactor.known('canary-mcp canary-env north-west production')).toBe(
    '[redacted] [redacted] north-west production',
  )
})

test('each line of the log is without secrets, whatever wrote it, and stays the JSON that it was', async () => {
  const redactor = await openRedactor({
    secrets: ['12345678', 'can"ary\n1'],
    mcpFile: undefined,
    outboundAllow: undefined,
  })
  const lines: string[] = []
  const output = redactedOutput({ write: (line) => lines.push(line), flush: async () => {} }, redactor)
  const error = {
    name: 'Error',
    stack: 'Error: can"ary\n1\n at x',
    cause: { name: 'Error', stack: 'Bearer abcdefghijkl' },
  }
  output.write(`${JSON.stringify({ time: 12345678, error, headers: { cookie: 'a=b' } })}\n`)
  output.write('{"time":12345678}\n')
  output.write('no JSON 12345678\n')
  expect(lines).toEqual([
    '{"time":12345678,"error":{"name":"Error","stack":"Error: [redacted]\\n at x","cause":{"name":"Error","stack":"Bearer [redacted]"}},"headers":{"cookie":"[redacted]"}}\n',
    '{"time":12345678}\n',
    'no JSON [redacted]\n',
  ])
})
