import { z } from 'zod'

/** What a setting is, said once: the reader, the messages and the docs are made from it. */
export interface SettingSpec {
  /** The variables that set it; the first one that is set counts. */
  readonly variables: readonly [string, ...string[]]
  readonly description: string
  /** As it would stand in the environment. Left out: not set. */
  readonly default?: string
  /** Completes "must be …". */
  readonly expects: string
  readonly schema: z.ZodType
  /**
   * The value is never shown, not even when it is wrong. `true`: it is looked for in logs and sessions, to be taken out; `url`: it is no
   * secret itself, but a URL can hold a password, which is.
   */
  readonly secret?: true | 'url'
  /** The variable is not ours, and others may read it otherwise: what does not fit is warned of, and passed over. */
  readonly foreign?: true
}

/** A whole number as it stands in the environment. */
export function wholeNumber(min: number, max: number) {
  return z
    .string()
    .regex(/^\d{1,12}$/)
    .transform(Number)
    .pipe(z.int().min(min).max(max))
}

/** Yes or no as it stands in the environment. */
export const trueOrFalse = {
  expects: 'true or false',
  schema: z.enum(['true', 'false']).transform((text) => text === 'true'),
} as const

/** The path of a file or a folder. */
export const pathText = z.string().max(4_096)
