import { expect, test } from 'vitest'
import { readWebhook } from '../../examples/calling/verify-webhook.ts'
import { says } from '../support/scripted-provider.ts'
import { openReceiver } from '../webhooks/receiver.ts'
import { serve } from './support/service.ts'

const secret = `whsec_${Buffer.alloc(32, 3).toString('base64')}`
const env = { LLLM_WEBHOOK_SECRETS: secret, LLLM_WEBHOOK_ALLOW_PRIVATE: 'true' }

test('the end of a run is told to its receiver, who can tell that it is from this service', async () => {
  const receiver = await openReceiver()
  const { service } = await serve(() => says('Bees are busy.'), { env })
  const post = (body: object) =>
    fetch(`${service.url}/tactics/researcher/runs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const { id } = (await (await post({ task: 'bees', webhook: { url: receiver.url } })).json()) as { id: string }
  const [{ headers, body } = { headers: {}, body: '' }] = await receiver.until(1)
  const plain = headers as Readonly<Record<string, string>>
  expect(readWebhook(secret, plain, body)).toMatchObject({
    type: 'run.succeeded',
    data: { id, tactic: 'researcher', state: 'success' },
  })
  expect(() => readWebhook(secret, plain, `${body} `)).toThrow()
  expect(() => readWebhook(`whsec_${Buffer.alloc(32).toString('base64')}`, plain, body)).toThrow()
})

test('without secrets, runs cannot have webhooks, and are told what to set', async () => {
  const { service } = await serve(() => says('Bees are busy.'))
  const answer = await fetch(`${service.url}/tactics/researcher/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ task: 'bees', webhook: { url: 'https://example.org/' } }),
  })
  expect(answer.status).toBe(422)
  expect(await answer.json()).toMatchObject({
    code: 'invalid-request',
    errors: [{ pointer: '/webhook/url', message: expect.stringContaining('LLLM_WEBHOOK_SECRETS') }],
  })
})
