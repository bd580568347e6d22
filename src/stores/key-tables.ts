import type { KeyStore } from '../domain/api-key.ts'
import type { CallByName } from './named-methods.ts'

/** Keys as a relational database sees them. Errors are the database's own. */
export type KeyTables = KeyStore

/** The names of all methods, for whoever passes them on. */
export const keyMethods = [
  'find',
  'list',
  'add',
  'replace',
  'revoke',
  'isEmpty',
] as const satisfies readonly (keyof KeyTables)[]

export type CallKeys = CallByName<KeyTables>
