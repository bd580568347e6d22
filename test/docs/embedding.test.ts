import { fileURLToPath } from 'node:url'
import { createServer, loadRuntime } from 'lllm'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import * as embedding from '../../examples/embedding/embedding.ts'
import { settingSpecs } from '../../src/setting-specs.ts'
import { readText, root } from './markdown.ts'

const folder = fileURLToPath(new URL('examples/first/', root))
const task = { text: 'It rained for ten days.' }
const call = (url: string) => ({ method: 'POST', url: `${url}/tactics/headline`, payload: { task } }) as const

beforeEach(() => {
  const env = {
    LLLM_DATABASE: ':memory:',
    LLLM_HOME: '/nonexistent',
    LLLM_LOG_LEVEL: 'silent',
    OPENAI_API_KEY: '',
    OPENAI_BASE_URL: '',
  }
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  onTestFinished(() => void vi.unstubAllEnvs())
})

describe('the programs of docs/embedding.md', () => {
  test('serve a package on a port, and end', async () => {
    const { url, end } = await embedding.serve(folder, 0)
    const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: object }
    expect(paths).toHaveProperty('/tactics/headline')
    await end()
    await expect(fetch(url)).rejects.toThrow()
  })

  test('have a package beside their own routes', async () => {
    const app = await embedding.embed(folder)
    onTestFinished(() => app.close())
    expect((await app.inject(call('/ai'))).json().result.headlines).toHaveLength(3)
    expect((await app.inject('/orders')).json()).toEqual(['one', 'two'])
  })

  test('guard it, and what is not there, too', async () => {
    const runtime = await loadRuntime({ folder })
    const app = await embedding.guard(runtime, 'sesame')
    onTestFinished(() => app.close().then(() => runtime.close()))
    for (const url of ['/ai/info', '/ai/nothing', '/ai/docs', '/ai/docs/static/nothing.js'])
      expect((await app.inject(url)).statusCode, url).toBe(401)
    const headers = { authorization: 'Bearer sesame' }
    expect((await app.inject({ ...call('/ai'), headers })).statusCode).toBe(200)
    expect((await app.inject({ url: '/ai/nothing', headers })).json().type).toBe('/ai/docs/errors/route-not-found')
    expect((await app.inject('/nothing')).json()).toMatchObject({ message: 'Route GET:/nothing not found' })
  })

  test('have two packages', async () => {
    const app = await embedding.embedTwo()
    onTestFinished(() => app.close())
    expect((await app.inject(call('/public'))).statusCode).toBe(200)
    expect((await app.inject(call('/internal'))).json().code).toBe('unknown-tactic')
    expect((await app.inject('/internal/tactics/summarize')).statusCode).toBe(200)
  })
})

test('the options of docs/embedding.md are those that are known, each with its variable', async () => {
  const rows = [...readText('docs/embedding.md').matchAll(/^\| `(\w+)` \| (?:`(\w+)`)? ?\|/gm)]
  const runtime = await loadRuntime({ folder })
  onTestFinished(() => runtime.close())
  const refused = createServer(runtime, { nothing: 1 } as object)
  await expect(refused).rejects.toThrow(`Known: ${rows.map(([, name]) => name).join(', ')}.`)
  for (const [, name, variable] of rows) {
    if (name === 'logger') continue
    expect(settingSpecs[name as keyof typeof settingSpecs].variables, name).toContain(variable)
  }
})
