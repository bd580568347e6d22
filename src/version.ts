import { readFileSync } from 'node:fs'

/** The version of this package, from the nearest package.json: the file lies one folder deeper in the compiled form. */
export const version = readVersion([
  new URL('../package.json', import.meta.url),
  new URL('../../package.json', import.meta.url),
])

function readVersion(places: readonly URL[]): string {
  for (const place of places) {
    try {
      const { name, version } = JSON.parse(readFileSync(place, 'utf8')) as { name?: string; version?: string }
      if (name === 'lllm' && version !== undefined) return version
    } catch {
      // Not there: try the next place.
    }
  }
  return '0.0.0'
}
