import type { Runtime } from './runtime.ts'
import { type Environment, processEnvironment, readSettings } from './settings.ts'
import { systemWorld } from './system-world.ts'

export interface LoadRuntimeOptions {
  /** Where the search for `lllm.toml` begins. Default: the working directory. */
  readonly folder?: string
  /** Settings by the names of their variables. Default: the environment of the process. */
  readonly env?: Environment
}

/**
 * Loads a package and everything that it takes to call its tactics from one's own code. Close it when you are done.
 *
 * @throws LllmError that says which file or setting has a mistake, and what would be right.
 */
export async function loadRuntime({
  folder = process.cwd(),
  env = processEnvironment(),
}: LoadRuntimeOptions = {}): Promise<Runtime> {
  // A tactic's file imports the library too, and needs nothing of what this loads.
  const { assemble } = await import('./assemble.ts')
  // The engine has tried again, within its bound, before a session is given up; there is no log here to tell it to.
  return assemble(readSettings(env), { folder, world: systemWorld, onKeeperEvent: () => {} })
}
