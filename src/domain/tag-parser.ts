import { LllmError } from './errors.ts'
import { readFences } from './fence-reader.ts'
import type { Parser } from './prompt.ts'
import { readTags, type TagBlock } from './tag-reader.ts'

export type { TagBlock } from './tag-reader.ts'

/** Names that a reply must have, and names that it may have. */
export interface Wanted<Required extends string = string, Optional extends string = string> {
  readonly required?: readonly Required[]
  readonly optional?: readonly Optional[]
}

/** What to look for in a reply. Every name is read exactly as it is written here, capitals included. */
export interface TagParserSpec<
  RequiredTag extends string = string,
  OptionalTag extends string = string,
  RequiredFence extends string = string,
  OptionalFence extends string = string,
  Signal extends string = string,
> {
  /** Blocks such as `<summary>…</summary>`. */
  readonly tags?: Wanted<RequiredTag, OptionalTag>
  /** Fenced blocks, by the first word of their info string: `json`, `python`. */
  readonly fences?: Wanted<RequiredFence, OptionalFence>
  /** Tags that say something by being there: `<STOP>` or `<STOP/>`. They are always optional. */
  readonly signals?: readonly Signal[]
}

/** One or more: what is required is known to have a first. */
type Some<Item> = readonly [Item, ...Item[]]
type Found<Required extends string, Optional extends string, Item> = { readonly [Name in Required]: Some<Item> } & {
  readonly [Name in Exclude<Optional, Required>]: readonly Item[]
}

/** A reply with its parts told apart. Every name of the spec is a key, in order of appearance in the text below it. */
export interface TaggedReply<
  RequiredTag extends string,
  OptionalTag extends string,
  RequiredFence extends string,
  OptionalFence extends string,
  Signal extends string,
> {
  /** The whole reply, as it came. */
  readonly text: string
  /** Outermost blocks only: a listed tag inside another listed tag's block is a part of its content. */
  readonly tags: Found<RequiredTag, OptionalTag, TagBlock>
  /** The lines between the fences, wherever the block stands, without the last line break. */
  readonly fences: Found<RequiredFence, OptionalFence, string>
  readonly signals: { readonly [Name in Signal]: boolean }
}

/** Tells a model what its reply lacks. */
export class ParseError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ParseError'
  }
}

/**
 * Makes a parser of replies that are written in tags and fenced blocks. Its time is linear in the length of the reply,
 * whatever a model writes.
 *
 * The parser throws a {@link ParseError} when something required is missing.
 *
 * @throws LllmError `invalid-prompt` when a name cannot be the name of a tag or of a fenced block, or is listed twice.
 */
export function tagParser<
  const RequiredTag extends string = never,
  const OptionalTag extends string = never,
  const RequiredFence extends string = never,
  const OptionalFence extends string = never,
  const Signal extends string = never,
>(
  spec: TagParserSpec<RequiredTag, OptionalTag, RequiredFence, OptionalFence, Signal>,
): Parser<TaggedReply<RequiredTag, OptionalTag, RequiredFence, OptionalFence, Signal>> {
  const { tags = {}, fences = {}, signals = [] } = spec
  const tagNames: readonly string[] = [...(tags.required ?? []), ...(tags.optional ?? [])]
  const fenceNames: readonly string[] = [...(fences.required ?? []), ...(fences.optional ?? [])]
  checkNames([...tagNames, ...signals], tagName, 'tag')
  checkNames(fenceNames, fenceName, 'fenced block')
  const [tagSet, fenceSet, signalSet] = [new Set(tagNames), new Set(fenceNames), new Set<string>(signals)]
  return {
    format: { kind: 'tags', tags: tagNames, fences: fenceNames, signals },
    parse(text) {
      const read = readTags(text, tagSet, signalSet)
      const fenced = readFences(text, fenceSet)
      const missing = [
        ...(tags.required ?? []).filter((name) => !read.blocks.has(name)).map((name) => askForTag(name, read.unclosed)),
        ...(fences.required ?? []).filter((name) => !fenced.has(name)).map(askForFence),
      ]
      if (missing.length > 0) throw new ParseError(`The reply lacks ${missing.join(', and ')}.`)
      return {
        text,
        tags: pick(tagNames, (name) => read.blocks.get(name) ?? []),
        fences: pick(fenceNames, (name) => fenced.get(name) ?? []),
        signals: pick(signals, (name) => read.signals.has(name)),
      } as never
    },
  }
}

const tagName = /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/
const fenceName = /^[^\s`~]{1,64}$/

function checkNames(names: readonly string[], pattern: RegExp, kind: string): void {
  const unfit = names.find((name) => !pattern.test(name))
  if (unfit !== undefined) {
    throw new LllmError(
      'invalid-prompt',
      `"${unfit}" cannot be the name of a ${kind}: it does not fit ${pattern.source}.`,
    )
  }
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw new LllmError('invalid-prompt', `The parser lists the ${kind} "${twice}" twice.`)
}

function askForTag(name: string, unclosed: ReadonlySet<string>): string {
  const hint = unclosed.has(name) ? ` (<${name}> is there, but </${name}> does not follow)` : ''
  return `a block <${name}>…</${name}>${hint}`
}

function askForFence(name: string): string {
  return `a fenced block that begins with a line \`\`\`${name} and ends with a line \`\`\``
}

/** An object whose keys are the author's names, never the model's. */
function pick<Value>(names: readonly string[], valueFor: (name: string) => Value) {
  return Object.fromEntries(names.map((name) => [name, valueFor(name)]))
}
