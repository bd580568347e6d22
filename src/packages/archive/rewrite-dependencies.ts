import { isDeepStrictEqual } from 'node:util'
import { parse, stringify, type TomlTable, type TomlValue } from 'smol-toml'

/**
 * Replaces entries of `[dependencies]` in the text of a manifest. All else stays as its author wrote it, with comments and
 * order, unless the entries are written in a way that is not found; then the manifest is written anew, with the same meaning.
 */
export function rewriteDependencies(text: string, replacements: ReadonlyMap<string, string>): string {
  const wanted = parse(text)
  const { dependencies } = wanted
  if (!isTable(dependencies) || !Array.isArray(dependencies['packages'])) return text
  const packages = dependencies['packages'].map((entry) => replacements.get(String(entry)) ?? entry)
  if (isDeepStrictEqual(packages, dependencies['packages'])) return text
  dependencies['packages'] = packages
  const edited = editText(text, replacements)
  return isDeepStrictEqual(tryParse(edited), wanted) ? edited : stringify(wanted)
}

function isTable(value: TomlValue | undefined): value is TomlTable {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date)
}

/** Replaces strings between the header of the table and the next header, as people write them. */
function editText(text: string, replacements: ReadonlyMap<string, string>): string {
  const start = /^[ \t]*\[[ \t]*dependencies[ \t]*\]/m.exec(text)
  if (start === null) return text
  const from = start.index + start[0].length
  const next = /^[ \t]*\[[^"'\]]*\][ \t]*(?:#.*)?$/m.exec(text.slice(from))
  const to = next === null ? text.length : from + next.index
  const table = text.slice(from, to).replaceAll(/"([^"\\\n]*)"|'([^'\n]*)'/g, (whole, basic, literal) => {
    const replacement = replacements.get(basic ?? literal)
    return replacement === undefined ? whole : JSON.stringify(replacement)
  })
  return text.slice(0, from) + table + text.slice(to)
}

function tryParse(text: string): unknown {
  try {
    return parse(text)
  } catch {
    return undefined
  }
}
