import { LllmError } from '../domain/errors.ts'
import type { TacticSource } from '../domain/package.ts'
import { isTacticClass, type TacticClass, tacticName } from '../domain/tactic.ts'
import { importModule } from './import-module.ts'
import type { ListedFile } from './list-files.ts'
import { findFault } from './tactic-fault.ts'

/**
 * Imports tactics, by default or by name, one or more a file. A tactic that a file merely passes on belongs to the file
 * that comes first.
 *
 * @throws LllmError `invalid-tactic` for a file that cannot be imported or has no tactic, and for two tactics of one name.
 */
export async function loadTactics(files: readonly ListedFile[]): Promise<readonly TacticSource[]> {
  const sources = new Map<string, TacticSource>()
  for (const { file } of files) {
    // One after the other: evaluating modules is the work of one thread, and the first mistake is always the same one.
    for (const [name, tactic] of findTactics(file, await importModule(file, 'invalid-tactic'))) {
      const other = sources.get(name)
      if (other !== undefined && other.tactic !== tactic) {
        throw mistake(file, `${other.file} has the tactic "${name}" already: rename one of them.`)
      }
      if (other === undefined) sources.set(name, { tactic, file })
    }
  }
  return [...sources.values()]
}

function findTactics(file: string, exported: ReadonlyMap<string, unknown>): ReadonlyMap<string, TacticClass> {
  const tactics = new Map<string, TacticClass>()
  for (const value of exported.values()) {
    // A remote tactic is served where it is; here it is a part of others.
    if (!isTacticClass(value) || value.spec.name === undefined || value.spec.remote !== undefined) continue
    const { name } = value.spec
    if (!tacticName.test(name)) throw mistake(file, `The tactic name "${name}" does not fit ${tacticName.source}.`)
    const fault = findFault(value)
    if (fault !== undefined) throw mistake(file, fault)
    const other = tactics.get(name)
    if (other !== undefined && other !== value) throw mistake(file, `It has two tactics named "${name}".`)
    tactics.set(name, value)
  }
  if (tactics.size > 0) return tactics
  const described = [...exported].map(([name, value]) => `${name} (${describe(value)})`)
  throw mistake(
    file,
    'It exports no tactic that has a name. ' +
      `It exports ${described.length === 0 ? 'nothing' : described.join(', ')}. ` +
      'Shared code belongs into a file whose name begins with an underscore.',
  )
}

function describe(value: unknown): string {
  if (!isTacticClass(value)) return typeof value
  return value.spec.remote === undefined ? 'a tactic without a name' : 'a remote tactic'
}

function mistake(file: string, message: string) {
  return new LllmError('invalid-tactic', `${file}: ${message}`, { file })
}
