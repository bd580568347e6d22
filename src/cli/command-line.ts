import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { processEnvironment } from '../settings.ts'
import { version } from '../version.ts'

/** Runs one command. Resolves to the exit code: 0 done, 1 failed, 2 called in a way that it does not understand. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  let exitCode = 0
  const program = new Command('lllm')
    .description('Serves tactics: multi-agent LLM programs as REST endpoints.')
    .version(version)
    .showHelpAfterError('lllm --help tells what there is.')
    .exitOverride()
  program
    .command('serve')
    .description('Serves the tactics of the nearest lllm.toml over HTTP. Settings come from the environment.')
    .option('--port <port>', 'the port to listen on, instead of LLLM_PORT', parsePort)
    .option('--host <address>', 'the address to listen on, instead of LLLM_HOST')
    .action(async ({ port, host }: { readonly port?: string; readonly host?: string }) => {
      const given = {
        ...(port === undefined ? {} : { LLLM_PORT: port }),
        ...(host === undefined ? {} : { LLLM_HOST: host }),
      }
      // Help and mistakes should not have to wait until the whole service is loaded.
      const { serve } = await import('../serve.ts')
      exitCode = await serve({ ...processEnvironment(), ...given })
    })
  try {
    await program.parseAsync(argv)
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? 0 : 2
  }
  return exitCode
}

function parsePort(text: string): string {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return text
  throw new InvalidArgumentError('A port is a whole number from 0 to 65535.')
}
