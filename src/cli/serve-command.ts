import { type Command, InvalidArgumentError } from 'commander'
import type { Act } from './command-line.ts'
import type { ExitCode } from './exit-code.ts'
import type { Shell } from './shell.ts'

interface ServeOptions {
  readonly port?: string
  readonly host?: string
}

export function addServe(program: Command, act: Act) {
  program
    .command('serve')
    .description('Serves the tactics of the nearest lllm.toml over HTTP. Settings come from the environment.')
    .option('--port <port>', 'the port to listen on, instead of LLLM_PORT', parsePort)
    .option('--host <address>', 'the address to listen on, instead of LLLM_HOST')
    .action(act(runServe))
}

async function runServe({ env }: Shell, { port, host }: ServeOptions): Promise<ExitCode> {
  // Help and mistakes should not have to wait until the whole service is loaded.
  const { serve } = await import('../serve.ts')
  return serve({
    ...env,
    ...(port === undefined ? {} : { LLLM_PORT: port }),
    ...(host === undefined ? {} : { LLLM_HOST: host }),
  })
}

function parsePort(text: string): string {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return text
  throw new InvalidArgumentError('A port is a whole number from 0 to 65535.')
}
