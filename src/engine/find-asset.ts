import { LllmError, listKnown } from '../domain/errors.ts'
import type { Asset, Package } from '../domain/package.ts'

/**
 * Finds a file of a section that its author has named: `section:path` in the package itself, `package.section:path` in one
 * that it can name.
 *
 * @throws LllmError `unknown-asset`, which lists what is known.
 */
export function findAsset(home: Package, url: string): Asset {
  const [, before = '', path = ''] = /^([^:]*):(.*)$/s.exec(url) ?? []
  if (before === '') throw unknown(`"${url}" is no file's address: say section:path or package.section:path.`)
  const [sectionName = '', packageName] = before.split('.').reverse()
  const source = packageName === undefined ? home : home.reachable.get(packageName)
  if (source === undefined) {
    throw unknown(
      `There is no package "${packageName}" here. ${listKnown(packageName ?? '', [...home.reachable.keys()])}`,
    )
  }
  const section = source.sections.get(sectionName)
  if (section === undefined) {
    const known = listKnown(sectionName, [...source.sections.keys()])
    throw unknown(`The package "${source.name}" has no section "${sectionName}" of files. ${known}`)
  }
  const asset = section.get(path)
  if (asset !== undefined) return asset
  const known = [...section.keys()]
  throw unknown(`There is no file "${path}" in "${source.name}.${sectionName}". ${listKnown(path, known)}`, known)
}

function unknown(message: string, known: readonly string[] = []) {
  return new LllmError('unknown-asset', message, { known })
}
