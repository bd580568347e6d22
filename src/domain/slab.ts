/** Something in a {@link Slab}, from when it is added until it is removed. */
export interface SlabEntry<Value> {
  /** No other entry has it at the same time; -1 once this one has been removed. */
  readonly index: number
  readonly value: Value
}

type OwnEntry<Value> = { -readonly [Key in keyof SlabEntry<Value>]: SlabEntry<Value>[Key] }

/**
 * Things that come and go by the thousand, such as calls under way, in no order.
 *
 * For them it is used instead of a Set or a Map: V8 makes the table of these anew after every few removals, and lets each old table lead to the
 * next one. Once one table has come to be old, all later ones outlive each collection of what is young, with everything that was ever in
 * them, until the next collection of all.
 */
export class Slab<Value> {
  readonly #entries: (OwnEntry<Value> | undefined)[] = []
  /** Indexes at which there is nothing. */
  readonly #free: number[] = []

  get size(): number {
    return this.#entries.length - this.#free.length
  }

  add(value: Value): SlabEntry<Value> {
    const entry = { index: this.#free.pop() ?? this.#entries.length, value }
    this.#entries[entry.index] = entry
    return entry
  }

  /** Undefined: nothing has this index. */
  at(index: number): SlabEntry<Value> | undefined {
    return this.#entries[index]
  }

  /** @returns Whether it was still there. */
  remove(entry: SlabEntry<Value>): boolean {
    const own = this.#entries[entry.index]
    if (own === undefined || own !== entry) return false
    this.#entries[own.index] = undefined
    this.#free.push(own.index)
    own.index = -1
    return true
  }

  /** Those that are there; what is added or removed meanwhile may be among them, or not. */
  *[Symbol.iterator](): Generator<Value, void> {
    for (const entry of this.#entries) if (entry !== undefined) yield entry.value
  }
}
