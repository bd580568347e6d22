import type { Command } from 'commander'
import type { Act } from '../command-line.ts'

export interface WebhookSecretOptions {
  readonly tenant?: string
  readonly json?: true
}

export function addWebhooks(program: Command, act: Act) {
  const family = program.command('webhooks').description('Tells with what webhooks are signed.')
  family
    .command('secret')
    .description(
      'Writes the secrets by which a tenant verifies its webhooks, a line for each of LLLM_WEBHOOK_SECRETS, the newest first.',
    )
    .option('--tenant <tenant>', 'whose webhooks they are (default: default)')
    .option('--json', 'the same as JSON')
    .addHelpText('after', '\nExample:\n  $ lllm webhooks secret --tenant acme')
    .action(
      act(async (shell, options: WebhookSecretOptions) => {
        const { writeWebhookSecret } = await import('./webhook-secret.ts')
        return writeWebhookSecret(shell, options)
      }),
    )
}
