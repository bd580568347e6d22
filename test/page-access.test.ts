import { expect, test } from 'vitest'
import { judgePageAccess } from '../src/page-access.ts'

const judge = (corsOrigins: readonly string[] | undefined, open: boolean, hasKey: boolean) =>
  judgePageAccess(
    { corsOrigins, open },
    { isOpen: async () => !hasKey, authenticate: () => Promise.reject(new Error('Nobody asks.')) },
  )

test('a service without a key does not start for all pages, unless it is for all who reach it', async () => {
  await expect(judge(['*'], false, false)).rejects.toMatchObject({
    code: 'invalid-settings',
    message: expect.stringContaining('LLLM_CORS_ORIGINS is *'),
  })
  expect(await judge(['*'], true, false)).toContain('every web page')
})

test('it does with a key, for pages that are named, and for none', async () => {
  expect(await judge(['*'], false, true)).toBeUndefined()
  expect(await judge(['https://app.example.org'], false, false)).toBeUndefined()
  expect(await judge(undefined, false, false)).toBeUndefined()
})
