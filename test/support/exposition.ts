/** One number of a page of figures. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A page of figures in the text format of Prometheus. */
export interface Exposition {
  /** The types of all metrics, by their names, also of those that have no number yet. */
  readonly types: ReadonlyMap<string, string>
  readonly helps: ReadonlyMap<string, string>
  readonly samples: readonly Sample[]
  /** The numbers of one metric, each by the values of its labels in the order in which they stand: `essay writer gpt-4o ok`. */
  valuesOf(name: string): Readonly<Record<string, number>>
}

/** Reads a page, and throws where a line is none of the format. */
export function readExposition(page: string): Exposition {
  const types = new Map<string, string>()
  const helps = new Map<string, string>()
  const samples: Sample[] = []
  for (const line of page.split('\n')) {
    if (line === '') continue
    const [, kind, about = '', text = ''] = /^# (HELP|TYPE) (\w+) (.*)$/.exec(line) ?? []
    if (kind === 'HELP') helps.set(about, text)
    else if (kind === 'TYPE') types.set(about, text)
    else samples.push(readSample(line))
  }
  return {
    types,
    helps,
    samples,
    valuesOf(name) {
      if (!types.has(name)) throw new Error(`There is no metric ${name}.`)
      const own = samples.filter((sample) => sample.name === name)
      return Object.fromEntries(own.map(({ labels, value }) => [Object.values(labels).join(' '), value]))
    },
  }
}

function readSample(line: string): Sample {
  const [, name = '', labels = '', value = ''] =
    /^(\w+)(?:\{((?:\w+="(?:[^"\\]|\\.)*",?)*)\})? (Na[nN]|[+-]?(?:Inf|[\d.e+-]+))$/.exec(line) ?? []
  if (name === '') throw new Error(`This is no line of the format: ${line}`)
  const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)]
  return {
    name,
    labels: Object.fromEntries(pairs.map(([, label = '', text = '']) => [label, text])),
    value: Number(value.replace('Inf', 'Infinity')),
  }
}
