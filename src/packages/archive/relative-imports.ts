const module = /\.[cm]?[jt]s$/

/** Whether a file may import others. */
export function isModule(path: string): boolean {
  return module.test(path)
}

/**
 * What comes before a specifier, its quote, and the specifier without its query. All repetitions are bounded, for a module may
 * be a file of many megabytes on a single line.
 */
const named =
  /(\b(?:from|import|require|URL)\s{0,64}\(?\s{0,64}(['"`]))(\.{1,2}\/[^'"`\n?#]{0,512})(?=[^'"`\n]{0,512}\2)/g

export interface RelativeImport {
  /** As it is written: `../shared/_prices.ts`. */
  readonly specifier: string
  /** Nothing of it is there when the code runs. */
  readonly isTypeOnly: boolean
}

/**
 * The files that a module names by their place beside it: what it imports, requires, or makes a URL of. Whether that is in a
 * comment is not looked at, for a file that comes along without need does no harm.
 */
export function findRelativeImports(text: string): readonly RelativeImport[] {
  const types = /\b(?:import|export)\s{1,64}type\s[^'"`;]{0,4096}\bfrom\s{0,64}['"](\.{1,2}\/[^'"\n]{0,512})['"]/g
  const typed = [...text.matchAll(types)].map(([, specifier = '']) => specifier)
  const all = [...text.matchAll(named)].map(([, , , specifier = '']) => specifier)
  return [...new Set(all)].map((specifier) => {
    const count = (list: readonly string[]) => list.filter((one) => one === specifier).length
    return { specifier, isTypeOnly: count(all) === count(typed) }
  })
}

/** The module with other specifiers in the place of some, and everything else as it was. */
export function rewriteImports(text: string, specifiers: ReadonlyMap<string, string>): string {
  return text.replace(named, (whole, before: string, _quote, specifier: string) => {
    const rewritten = specifiers.get(specifier)
    return rewritten === undefined ? whole : before + rewritten
  })
}
