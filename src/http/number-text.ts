import { z } from 'zod'

/** A whole number as a query has it. */
export function wholeNumberText(min: number, max: number) {
  const range = `must be a whole number from ${min} to ${max}`
  return z
    .string()
    .regex(/^-?\d{1,15}$/, range)
    .transform(Number)
    .pipe(z.int().min(min, range).max(max, range))
    .meta({ type: 'integer', pattern: undefined, minimum: min, maximum: max })
}

/** A number above 0 as a query has it. */
export function numberText(max: number) {
  const range = `must be a number above 0, up to ${max}`
  return z
    .string()
    .regex(/^\d{1,15}(\.\d{1,15})?$/, range)
    .transform(Number)
    .pipe(z.number().positive(range).max(max, range))
    .meta({ type: 'number', pattern: undefined, exclusiveMinimum: 0, maximum: max })
}
