import { secretLengthMin } from './domain/redact.ts'
import type { SettingSpec } from './setting-spec.ts'
import { settingSpecs } from './setting-specs.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** What libraries read by themselves: the password of PostgreSQL. */
const readElsewhere = ['PGPASSWORD']
/** A variable may hold a list of secrets, or of headers with their values. */
const listed = /^(?:whsec_[^,]+|[A-Za-z0-9-]+=[^,]*)(?:,|$)/

/**
 * Finds the values that must be told to nobody, and those that are too short to be looked for.
 *
 * @param keyPrefix What the names of variables begin with that hold keys.
 * @param named Further variables that hold secrets.
 */
export function findSecrets(
  env: Environment,
  keyPrefix: string,
  named: readonly string[] = [],
): { readonly secrets: readonly string[]; readonly warnings: readonly string[] } {
  const specs: readonly SettingSpec[] = Object.values(settingSpecs)
  const namesOf = (kind: SettingSpec['secret']) =>
    specs.flatMap(({ secret, variables }) => (secret === kind ? variables : []))
  // Of what others read as well, nobody is told what it should be.
  const foreign = new Set<string>(specs.flatMap((spec) => (spec.foreign === true ? spec.variables : [])))
  const keys = Object.keys(env).filter((name) => name.startsWith(keyPrefix))
  const whole = [...new Set([...namesOf(true), ...keys, ...readElsewhere, ...named])]
  const found = [
    ...whole.flatMap((name) => secretsIn(env[name] ?? '')),
    ...namesOf('url').flatMap((name) => passwordsIn(env[name] ?? '')),
  ]
  const isShort = (text = '') => text !== '' && text.length < secretLengthMin
  const short = [
    ...whole.filter((name) => isShort(env[name]) && !foreign.has(name)),
    ...namesOf('url').filter((name) => passwordsIn(env[name] ?? '').some(isShort)),
  ]
  const missing = named.filter((name) => (env[name] ?? '') === '')
  return {
    secrets: [...new Set(found)].filter((value) => value.length >= secretLengthMin),
    warnings: [
      ...short.map(
        (name) =>
          `${name} holds a secret of fewer than ${secretLengthMin} characters, which is too short to be taken out of logs and sessions.`,
      ),
      ...missing.map((name) => `LLLM_REDACT names ${name}, which is not set.`),
    ],
  }
}

function secretsIn(text: string): readonly string[] {
  const parts = listed.test(text) ? text.split(',').map((part) => part.trim()) : []
  const inParts = parts.flatMap((part) => {
    if (part.startsWith('whsec_')) return [part, part.slice('whsec_'.length)]
    const value = part.slice(part.indexOf('=') + 1)
    // The token alone may be told where the scheme is not: `Bearer …`.
    return [value, decode(value), ...(/^[A-Za-z]+(?: |%20)/.test(value) ? [decode(value).replace(/^\S+\s+/, '')] : [])]
  })
  return [text, ...passwordsIn(text), ...inParts]
}

/** The password of a URL, as it stands there and as it is meant. */
function passwordsIn(text: string): readonly string[] {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text) || !URL.canParse(text)) return []
  const { password, searchParams } = new URL(text)
  const given = [password, searchParams.get('password') ?? '']
  return given.flatMap((value) => [value, decode(value)])
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
