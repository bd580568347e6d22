import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { missingBrowser, openPage } from '../support/browser.ts'
import { startService } from './support/service.ts'

const suite = missingBrowser === undefined ? 'a browser' : `a browser (${missingBrowser})`

describe.skipIf(missingBrowser !== undefined)(suite, { timeout: 30_000 }, () => {
  test('shows /docs under its policy, lists the operations, and calls a tactic from it', async () => {
    const { url } = await startService()
    const page = await openPage(`${url}/docs`)
    const call = '#operations-Tactics-callSummarizer'
    await page.waitUntil(`document.querySelector('${call}') !== null`)
    const press = (selector: string) => page.evaluate(`document.querySelector('${selector}').click()`)
    await press(`${call} .opblock-summary-control`)
    await page.waitUntil(`document.querySelector('${call} .try-out__btn') !== null`)
    await press(`${call} .try-out__btn`)
    await page.waitUntil(`document.querySelector('${call} .execute') !== null`)
    await press(`${call} .execute`)
    await page.waitUntil(`document.querySelector('${call} .live-responses-table .response') !== null`)
    const answer = await page.evaluate(`document.querySelector('${call} .live-responses-table .response').innerText`)
    expect(answer).toMatch(/^200/)
    expect(answer).toContain('"session_id"')
    expect(page.complaints).toEqual([])
  })

  test('tells what a policy forbids', async () => {
    const server = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html')
      response.setHeader('content-security-policy', "default-src 'none'")
      response.end('<link rel="icon" href="data:,"><script src="/script.js"></script><p>text</p>')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const page = await openPage(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    await page.waitUntil(`document.querySelector('p') !== null`)
    expect(page.complaints.join('\n')).toMatch(/Content Security Policy/)
  })
})
