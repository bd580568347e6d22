import { expect, test } from 'vitest'
import { tenantSecrets } from '../../src/webhooks/tenant-secrets.ts'
import { runLllm } from './support/test-shell.ts'

const secrets = [7, 8].map((byte) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`)
const env = { LLLM_WEBHOOK_SECRETS: secrets.join(',') }

test('lllm webhooks secret writes the secrets of a tenant, the newest first', async () => {
  const { code, stdout, stderr } = await runLllm(['webhooks', 'secret', '--tenant', 'acme'], { env })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout.trim().split('\n')).toEqual(tenantSecrets('acme', secrets))
})

test('lllm webhooks secret writes those of the settings for the operator, as JSON too', async () => {
  const { code, stdout } = await runLllm(['webhooks', 'secret', '--json'], { env })
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toEqual({ tenant: 'default', secrets })
})

test.each([
  ['where webhooks cannot be signed', ['--tenant', 'acme'], {}, 1, 'LLLM_WEBHOOK_SECRETS is not set'],
  ['for what is no name of a tenant', ['--tenant', 'Acme Inc.'], env, 2, '--tenant must be 1 to 64 small letters'],
])('lllm webhooks secret says what is wrong %s', async (_name, args, given, exitCode, expected) => {
  const { code, stdout, stderr } = await runLllm(['webhooks', 'secret', ...args], { env: given })
  expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' })
  expect(stderr).toContain(expected)
})
