import { LllmError } from '../../domain/errors.ts'
import { findInstalled, removePackage } from '../../packages/archive/remove-package.ts'
import { harmlessLines } from '../display-text.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import type { Shell } from '../shell.ts'
import { write, writeJson } from '../write.ts'
import type { RemovePackageOptions } from './pkg-command.ts'
import { toPackageRecord } from './pkg-list.ts'
import { findScopes, type Scopes } from './pkg-scopes.ts'

export async function removeInstalled(
  shell: Shell,
  name: string,
  { scope: given, json }: RemovePackageOptions,
): Promise<ExitCode> {
  const scopes = await findScopes(shell)
  const { scope, folder } =
    given === undefined ? await findScope(scopes, name) : { scope: given, folder: scopes.folderOf(given) }
  const removed = await removePackage(name, folder)
  if (json) await writeJson(shell.stdout, toPackageRecord(removed, scope))
  else {
    const told = [removed.name, removed.version].filter((part) => part !== '').join(' ')
    await write(shell.stdout, `${harmlessLines(`Removed ${told} from ${removed.folder}.`)}\n`)
  }
  return exitCodes.done
}

/** The one scope that has the package. The last error tells what there is. */
async function findScope({ all }: Scopes, name: string): Promise<Scopes['all'][number]> {
  const looked = await Promise.allSettled(all.map(({ folder }) => findInstalled(name, folder)))
  const holders = all.filter((_, index) => looked[index]?.status === 'fulfilled')
  const [holder, second] = holders
  if (holder !== undefined && second === undefined) return holder
  if (holder !== undefined) {
    throw new LllmError(
      'package-refused',
      `"${name}" is installed for the project and for the user: tell which with --scope.`,
    )
  }
  const refusals = looked.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as LllmError] : []))
  const refusal = refusals.find(({ code }) => code !== 'unknown-package') ?? refusals[0]
  if (refusal !== undefined && (refusal.code !== 'unknown-package' || refusals.length === 1)) throw refusal
  throw new LllmError('unknown-package', refusals.map(({ message }) => message).join('\n'))
}
