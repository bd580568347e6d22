/** Different values that one label has. Those beyond are told together. */
export const labelValuesMax = 200
/** Characters of a value. */
const valueLengthMax = 128
/** What values beyond the bound are called. */
export const otherValue = 'other'

/** Keeps the values of a label few: gives a value back as it is, or what stands for all that came too late. */
export type NameLabel = (value: string) => string

/** Every series costs memory here and in the system that reads it, and some names are up to whoever writes a config, or code. */
export function boundLabel(valuesMax = labelValuesMax): NameLabel {
  const known = new Set<string>()
  return (value) => {
    if (known.has(value)) return value
    if (value.length > valueLengthMax || known.size >= valuesMax) return otherValue
    known.add(value)
    return value
  }
}
