import { LllmError } from '../../domain/errors.ts'
import { readSettings } from '../../settings.ts'
import { tenantSecrets } from '../../webhooks/tenant-secrets.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import type { Shell } from '../shell.ts'
import { readTenant } from '../tenant-option.ts'
import { write, writeJson } from '../write.ts'
import type { WebhookSecretOptions } from './webhooks-command.ts'

export async function writeWebhookSecret({ env, stdout }: Shell, options: WebhookSecretOptions): Promise<ExitCode> {
  const tenant = readTenant(options.tenant)
  const { webhookSecrets } = readSettings(env)
  if (webhookSecrets === undefined) {
    throw new LllmError('invalid-settings', 'LLLM_WEBHOOK_SECRETS is not set: no webhook is signed, and none is sent.')
  }
  const secrets = tenantSecrets(tenant, webhookSecrets)
  if (options.json) await writeJson(stdout, { tenant, secrets })
  else await write(stdout, `${secrets.join('\n')}\n`)
  return exitCodes.done
}
