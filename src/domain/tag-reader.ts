/** A block of a reply: `<finding severity="high">…</finding>`. */
export interface TagBlock {
  /** What stands between the tags, without white space at its ends. Other tags in it are text. */
  readonly content: string
  /** By name. Values are as they were written, with nothing decoded; a bare name has an empty value. */
  readonly attributes: ReadonlyMap<string, string>
}

export interface ReadTags {
  /** By name, in order of appearance. A name without a block has no entry. */
  readonly blocks: ReadonlyMap<string, readonly TagBlock[]>
  readonly signals: ReadonlySet<string>
  /** Names of which an opening tag has no closing one. */
  readonly unclosed: ReadonlySet<string>
}

/** An opening tag longer than this is text. */
const openingLengthMax = 4096

interface Token {
  readonly kind: 'opening' | 'closing' | 'empty'
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly start: number
  readonly end: number
  /** Of an opening tag, once it is found: the tag that closes it. */
  closedBy: Token | undefined
}

/**
 * Finds the outermost blocks of the given names, and the signals, in one pass from left to right.
 *
 * A closing tag belongs to the nearest opening one that is still open, so that a mere mention ("I will use <answer> tags")
 * takes nothing away from the block that follows it.
 */
export function readTags(text: string, names: ReadonlySet<string>, signalNames: ReadonlySet<string>): ReadTags {
  const signals = new Set<string>()
  const openings: Token[] = []
  const stillOpen = new Map([...names].map((name): [string, Token[]] => [name, []]))
  for (const token of tokensOf(text, (name) => names.has(name) || signalNames.has(name))) {
    const open = stillOpen.get(token.name)
    if (open === undefined) {
      if (token.kind !== 'closing') signals.add(token.name)
    } else if (token.kind === 'closing') {
      const opening = open.pop()
      if (opening !== undefined) opening.closedBy = token
    } else {
      openings.push(token)
      if (token.kind === 'opening') open.push(token)
      else token.closedBy = token
    }
  }
  const unclosed = new Set([...stillOpen].filter(([, open]) => open.length > 0).map(([name]) => name))
  return { blocks: outermost(text, openings), signals, unclosed }
}

function outermost(text: string, openings: readonly Token[]): ReadonlyMap<string, readonly TagBlock[]> {
  const blocks = new Map<string, TagBlock[]>()
  let readUpTo = 0
  for (const { name, attributes, start, end, closedBy } of openings) {
    if (closedBy === undefined || start < readUpTo) continue
    readUpTo = closedBy.end
    const block = { content: text.slice(end, Math.max(end, closedBy.start)).trim(), attributes }
    const sameName = blocks.get(name)
    if (sameName === undefined) blocks.set(name, [block])
    else sameName.push(block)
  }
  return blocks
}

/**
 * All tags of a text whose names are wanted. As in XML, no `<` can stand inside a tag, not even in an attribute's value. So
 * each tag ends before the next `<`, no character is looked at for two of them, and the time is linear whatever the text.
 */
function* tokensOf(text: string, isWanted: (name: string) => boolean): Generator<Token> {
  let start = text.indexOf('<')
  while (start !== -1) {
    const next = text.indexOf('<', start + 1)
    const limit = Math.min(next === -1 ? text.length : next, start + openingLengthMax)
    const token = readToken(text.slice(start, limit), start, isWanted)
    if (token !== undefined) yield token
    start = next
  }
}

// Each is anchored by the sticky flag, and no two neighbours in them can match the same character.
const tagStart = /<(\/?)([A-Za-z_][A-Za-z0-9_.-]{0,63})/y
const attribute = /\s+([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"<]*)"|'([^'<]*)'|([^\s"'<>=`]+)))?/y
const tagEnd = /\s*(\/?)>/y

const noAttributes: ReadonlyMap<string, string> = new Map()

function readToken(text: string, start: number, isWanted: (name: string) => boolean): Token | undefined {
  const [head, slash, name = ''] = matchAt(tagStart, text, 0) ?? []
  if (head === undefined || !isWanted(name)) return undefined
  const { attributes, end } = readAttributes(text, head.length)
  const tail = matchAt(tagEnd, text, end)
  if (tail === null) return undefined
  const kind = slash === '/' ? 'closing' : tail[1] === '/' ? 'empty' : 'opening'
  return { kind, name, attributes, start, end: start + end + tail[0].length, closedBy: undefined }
}

function readAttributes(text: string, start: number) {
  let end = start
  let found = matchAt(attribute, text, end)
  if (found === null) return { attributes: noAttributes, end }
  const attributes = new Map<string, string>()
  for (; found !== null; found = matchAt(attribute, text, end)) {
    const [whole, name = '', doubleQuoted, singleQuoted, unquoted] = found
    attributes.set(name, doubleQuoted ?? singleQuoted ?? unquoted ?? '')
    end += whole.length
  }
  return { attributes, end }
}

function matchAt(pattern: RegExp, text: string, position: number): RegExpExecArray | null {
  pattern.lastIndex = position
  return pattern.exec(text)
}
