import { namesSecret, redactedText } from './secret-shapes.ts'

/** Deeper values are not looked into: what is there is replaced as a whole. */
const depthMax = 1_000

export interface ValueRules {
  /** Applied to each text, names of fields included. */
  text(text: string): string
  /** Whether texts go whose field has a name like `password`. */
  readonly byName: boolean
  /** Applied to each object before its texts. Left out: it stays. */
  object?(object: Fields): Fields
}

type Fields = Readonly<Record<string, unknown>>

/**
 * Makes what applies a change to all texts of a value, at any depth. What stays the same is the same object. Cycles end at `[circular]`,
 * and what is met twice, also in two values, is looked at once.
 */
export function valueRedactor(rules: ValueRules): <Value>(value: Value) => Value {
  const seen = new Map<object, unknown>()

  function walk(inner: unknown, depth: number): unknown {
    if (typeof inner === 'string') return rules.text(inner)
    if (typeof inner !== 'object' || inner === null) return inner
    if (seen.has(inner)) return seen.get(inner)
    if (depth >= depthMax) return redactedText
    // As long as it is being looked at, it is inside itself.
    seen.set(inner, '[circular]')
    const changed = walkObject(inner, depth)
    seen.set(inner, changed)
    return changed
  }

  function walkObject(inner: object, depth: number): unknown {
    // What JSON would make of it: dates, URLs, and what authors have made.
    if ('toJSON' in inner && typeof inner.toJSON === 'function') return walkOwn(inner, depth)
    return Array.isArray(inner) ? walkList(inner, depth) : walkFields(inner as Fields, depth)
  }

  /** Nothing is made anew before something has changed: nearly always nothing has. */
  function walkList(items: readonly unknown[], depth: number): unknown {
    let changed: unknown[] | undefined
    // By their numbers, as an iterator would make a pair for each: sessions are walked through after every call.
    for (let index = 0; index < items.length; index++) {
      const item = items[index]
      const walked = walk(item, depth + 1)
      if (walked !== item) changed ??= items.slice(0, index)
      changed?.push(walked)
    }
    return changed ?? items
  }

  function walkFields(given: Fields, depth: number): unknown {
    const fields = rules.object?.(given) ?? given
    const names = Object.keys(fields)
    let changed: [string, unknown][] | undefined = fields === given ? undefined : []
    for (let index = 0; index < names.length; index++) {
      const name = names[index] as string
      const item = fields[name]
      const isHidden = rules.byName && typeof item === 'string' && namesSecret(name)
      const walked = isHidden ? redactedText : walk(item, depth + 1)
      const told = rules.text(name)
      if (walked !== item || told !== name) changed ??= names.slice(0, index).map((before) => [before, fields[before]])
      changed?.push([told, walked])
    }
    return changed === undefined ? given : Object.fromEntries(changed)
  }

  function walkOwn(inner: object & { toJSON?: unknown }, depth: number): unknown {
    const json: unknown = (inner as { toJSON(): unknown }).toJSON()
    const changed = json === inner ? json : walk(json, depth + 1)
    return changed === json ? inner : changed
  }

  return <Value>(value: Value) => walk(value, 0) as Value
}
