import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type ErrorCode, errorCodes } from '../../src/domain/errors.ts'
import { problemKinds } from '../../src/http/problem.ts'
import { openService } from './service.ts'

const docs = readFileSync(new URL('../../docs/http.md', import.meta.url), 'utf8')

test('docs/http.md has a section for each error code, in the order of the catalogue, with its status and meaning', () => {
  const sections = [...docs.matchAll(/^### `([a-z-]+)`\n\n(.*)$/gm)].map(([, code, text]) => ({ code, text }))
  const codes = Object.keys(errorCodes) as ErrorCode[]
  expect(sections.map(({ code }) => code)).toEqual(codes)
  for (const [index, code] of codes.entries()) {
    const { status, retryable } = problemKinds[code]
    const start = `${status}${retryable ? ', retryable' : ''}. ${errorCodes[code]}`
    expect(sections[index]?.text?.slice(0, start.length)).toBe(start)
  }
})

test('docs/http.md has a section for each route of the OpenAPI document, and for no other', async () => {
  const { server } = await openService()
  const { paths } = (await server.inject('/openapi.json')).json()
  const described = Object.entries<object>(paths).flatMap(([path, methods]) => {
    const general = path.replace(/^\/tactics\/(shout|broken|count-nodes)/, '/tactics/{name}')
    return Object.keys(methods).map((method) => `${method.toUpperCase()} ${general}`)
  })
  const sections = [...docs.matchAll(/^### `([A-Z]+ \/.*)`$/gm)].map(([, route]) => route)
  expect(sections.toSorted()).toEqual([...new Set(described)].sort())
})
