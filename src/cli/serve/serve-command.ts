import { type Command, InvalidArgumentError } from 'commander'
import type { Act } from '../command-line.ts'
import type { ExitCode } from '../exit-code.ts'
import type { Shell } from '../shell.ts'

interface ServeFlags {
  readonly port?: string
  readonly host?: string
  readonly package?: string
  readonly watch?: true
}

const examples = `
Ctrl-C, or SIGTERM, lets calls under way end within LLLM_GRACE_MS.

Examples:
  lllm serve
  lllm serve --port 9000 --package ./my-project
  lllm serve --watch`

export function addServe(program: Command, act: Act) {
  program
    .command('serve')
    .description('Serves the tactics of the nearest lllm.toml over HTTP. Settings come from the environment.')
    .option('--port <port>', 'the port to listen on, 0 to 65535, instead of LLLM_PORT', parsePort)
    .option('--host <address>', 'the address to listen on, instead of LLLM_HOST')
    .option('--package <folder>', 'the package to serve, or its lllm.toml, instead of LLLM_CONFIG')
    .option('--watch', 'start anew whenever a file of the packages changes')
    .addHelpText('after', examples)
    .action(act(runServe))
}

async function runServe(shell: Shell, { port, host, package: folder, watch }: ServeFlags): Promise<ExitCode> {
  const env = {
    ...shell.env,
    ...(port === undefined ? {} : { LLLM_PORT: port }),
    ...(host === undefined ? {} : { LLLM_HOST: host }),
    ...(folder === undefined ? {} : { LLLM_CONFIG: folder }),
  }
  // Help and mistakes should not have to wait until the whole service is loaded.
  if (watch === true) {
    const { serveAndWatch } = await import('./serve-watch.ts')
    return serveAndWatch({ ...shell, env })
  }
  const { serve } = await import('../../serve.ts')
  return serve(env)
}

function parsePort(text: string): string {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return text
  throw new InvalidArgumentError('A port is a whole number from 0 to 65535.')
}
