export interface LabelledFigures<Figures, Name extends string = string> {
  readonly labels: Readonly<Record<Name, string>>
  readonly figures: Figures
}

/** By the values of up to four labels. */
type Tree<Leaf> = Map<string, Map<string, Map<string, Map<string, Leaf>>>>

/**
 * Keeps figures for each combination of label values. How many there are is for whoever names the values to bound. Each call of a tactic
 * comes by here several times: nothing is allocated, and no text put together, for values that are known.
 */
export class LabelSeries<Figures, Name extends string = string> {
  readonly #names: readonly Name[]
  readonly #open: () => Figures
  readonly #tree: Tree<LabelledFigures<Figures, Name>> = new Map()
  readonly #all: LabelledFigures<Figures, Name>[] = []

  /** @param names One to four. Values are given in their order. */
  constructor(names: readonly Name[], open: () => Figures) {
    this.#names = names
    this.#open = open
  }

  /** Undefined: nothing is kept for these values yet. */
  find(first: string, second = '', third = '', fourth = ''): LabelledFigures<Figures, Name> | undefined {
    return this.#tree.get(first)?.get(second)?.get(third)?.get(fourth)
  }

  /** Always the same for the same values. */
  at(first: string, second = '', third = '', fourth = ''): LabelledFigures<Figures, Name> {
    return this.find(first, second, third, fourth) ?? this.#add([first, second, third, fourth])
  }

  of(first: string, second = '', third = '', fourth = ''): Figures {
    return this.at(first, second, third, fourth).figures
  }

  all(): readonly LabelledFigures<Figures, Name>[] {
    return this.#all
  }

  #add(values: readonly [string, string, string, string]): LabelledFigures<Figures, Name> {
    const [first, second, third, fourth] = values
    const labels = Object.fromEntries(this.#names.map((name, index) => [name, values[index]])) as Record<Name, string>
    const labelled = { labels, figures: this.#open() }
    childOf(childOf(childOf(this.#tree, first), second), third).set(fourth, labelled)
    this.#all.push(labelled)
    return labelled
  }
}

/** What is below a name, which is made if it is not there. */
function childOf<Value>(tree: Map<string, Map<string, Value>>, name: string): Map<string, Value> {
  const known = tree.get(name)
  if (known !== undefined) return known
  const child = new Map<string, Value>()
  tree.set(name, child)
  return child
}
