interface MediaRange {
  readonly text: string
  /** 0 to 1; 0 rules the types out. */
  readonly quality: number
  /** How closely it says what is meant: 2 a type, 1 all of a kind, 0 anything. */
  readonly precision: number
  /** Its place in the header, from 0. */
  readonly index: number
}

/**
 * The media type that an `Accept` header (RFC 9110, 12.5.1) likes best, or undefined if it rules all of them out. Of those that
 * it likes equally, the one that it names more closely or earlier, and then the first of `types`. Parameters other than `q` are
 * passed over: no type here has any.
 */
export function preferredType(accept: string | undefined, types: readonly string[]): string | undefined {
  if (accept === undefined || accept.trim() === '') return types[0]
  const ranges = accept.split(',').map(readRange)
  const liked = types
    .map((type) => ({ type, range: closestRange(type, ranges) }))
    .filter(({ range: { quality } }) => quality > 0)
    .sort(({ range: left }, { range: right }) => {
      return right.quality - left.quality || right.precision - left.precision || left.index - right.index
    })
  return liked[0]?.type
}

function readRange(written: string, index: number): MediaRange {
  const [text = '', ...parameters] = written.split(';').map((part) => part.trim().toLowerCase())
  const given = parameters.find((parameter) => parameter.startsWith('q='))
  const quality = given === undefined ? 1 : Number(given.slice(2))
  return {
    text,
    quality: quality >= 0 && quality <= 1 ? quality : 0,
    precision: text === '*/*' ? 0 : text.endsWith('/*') ? 1 : 2,
    index,
  }
}

const noRange: MediaRange = { text: '', quality: 0, precision: -1, index: 0 }

/** The closest range speaks for a type: `text/*;q=0.5, text/csv;q=0` takes any text but CSV. */
function closestRange(type: string, ranges: readonly MediaRange[]): MediaRange {
  const fitting = ranges.filter(({ text, precision }) => {
    return precision === 2 ? text === type : text === '*/*' || type.startsWith(text.slice(0, -1))
  })
  return fitting.reduce((best, range) => (range.precision > best.precision ? range : best), noRange)
}
