/** Figures by the values of up to four labels. */
type Tree<Figures> = Map<string, Map<string, Map<string, Map<string, Figures>>>>

export interface LabelledFigures<Figures> {
  readonly labels: Readonly<Record<string, string>>
  readonly figures: Figures
}

/**
 * Keeps figures for each combination of label values. How many there are is for whoever names the values to bound. Each call of a tactic
 * comes by here several times: nothing is allocated, and no text put together, for values that are known.
 */
export class LabelSeries<Figures> {
  readonly #names: readonly string[]
  readonly #open: () => Figures
  readonly #tree: Tree<Figures> = new Map()
  readonly #all: LabelledFigures<Figures>[] = []

  /** @param names One to four. */
  constructor(names: readonly string[], open: () => Figures) {
    this.#names = names
    this.#open = open
  }

  /** Values in the order of their names. */
  of(first: string, second = '', third = '', fourth = ''): Figures {
    return this.#tree.get(first)?.get(second)?.get(third)?.get(fourth) ?? this.#add([first, second, third, fourth])
  }

  all(): readonly LabelledFigures<Figures>[] {
    return this.#all
  }

  #add(values: readonly [string, string, string, string]): Figures {
    const [first, second, third, fourth] = values
    const figures = this.#open()
    const labels = Object.fromEntries(this.#names.map((name, index) => [name, values[index] ?? '']))
    childOf(childOf(childOf(this.#tree, first), second), third).set(fourth, figures)
    this.#all.push({ labels, figures })
    return figures
  }
}

/** What is below a name, which is made if it is not there. */
export function childOf<Value>(tree: Map<string, Map<string, Value>>, name: string): Map<string, Value> {
  const known = tree.get(name)
  if (known !== undefined) return known
  const child = new Map<string, Value>()
  tree.set(name, child)
  return child
}
