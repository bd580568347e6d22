import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { missingBrowser, openPage } from '../support/browser.ts'
import { startService } from './support/service.ts'

const suite = missingBrowser === undefined ? 'a browser' : `a browser (${missingBrowser})`

/** A page of somebody else, on the same machine or, as a browser sees it, on another site. */
async function openForeignPage(host: 'localhost' | '127.0.0.1') {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end('<link rel="icon" href="data:,"><p>text</p>')
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  onTestFinished(() => void server.close())
  const page = await openPage(`http://${host}:${(server.address() as AddressInfo).port}/`)
  await page.waitUntil(`document.querySelector('p') !== null`)
  return page
}

describe.skipIf(missingBrowser !== undefined)(suite, { timeout: 30_000 }, () => {
  test.each(['localhost', '127.0.0.1'] as const)(
    'gets nothing for a page of somebody else at %s from a service without a key, and nothing done',
    async (host) => {
      const { url, logLines } = await startService()
      const page = await openForeignPage(host)
      const read = (path: string, init = '{}') =>
        page.evaluate(`fetch('${url}${path}', ${init}).then(() => 'read', () => 'refused')`)
      expect(await read('/runs/some/cancel', `{ method: 'POST', mode: 'no-cors' }`)).toBe('refused')
      expect(await read('/sessions')).toBe('refused')
      const requests = logLines.filter(({ msg }) => msg === 'request')
      expect(requests.map(({ path, status }) => [path, status])).toEqual([
        ['/runs/some/cancel', 403],
        ['/sessions', 403],
      ])
    },
  )

  test('follows a link of somebody else to the pages of the service', async () => {
    const { url } = await startService()
    const page = await openForeignPage('localhost')
    await page.evaluate(`location.href = '${url}/docs'`)
    await page.waitUntil(`document.querySelector('#swagger-ui') !== null`)
  })

  test('gets nothing of the service under a name of somebody else that leads there', async () => {
    const { url, logLines } = await startService()
    const page = await openPage(`${url.replace('127.0.0.1', 'evil.localhost')}/openapi.json`)
    await page.waitUntil(`document.body?.innerText.includes('misdirected-request') === true`)
    expect(logLines.findLast(({ msg }) => msg === 'request')).toMatchObject({ status: 421 })
  })
})
