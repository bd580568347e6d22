/** A series that an expression asks for. */
export interface Selector {
  readonly metric: string
  /** Labels by which it is narrowed down. */
  readonly labels: readonly string[]
}

/** What an expression of PromQL is about, as far as names go. */
export interface ReadExpression {
  readonly selectors: readonly Selector[]
  /** Labels by which it groups or joins. */
  readonly groupings: readonly string[]
  /** Metrics whose growth it asks for, which only counters have. */
  readonly growing: readonly string[]
  /** Metrics of which it asks for a quantile. */
  readonly quantiles: readonly string[]
}

const functions: ReadonlySet<string> = new Set(
  'sum count max min avg rate increase changes absent histogram_quantile label_values'.split(' '),
)
const operators: ReadonlySet<string> = new Set(['and', 'or', 'unless', 'offset', 'bool'])

/**
 * Reads the names in an expression. It knows as much of the language as dashboard and alerts use: a function that it does not know
 * is taken for a mistake, and so are brackets that are not closed.
 *
 * @throws Error that quotes the expression.
 */
export function readExpression(expression: string): ReadExpression {
  const groupings: string[] = []
  const selectors: Selector[] = []
  // What strings hold must not look like names, nor like brackets.
  const bare = expression.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""').replaceAll(/\$\w+/g, '5m')
  if (!isBalanced(bare)) throw new Error(`Something is not closed: ${expression}`)
  const withoutGroupings = bare.replaceAll(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g, (_all, labels: string) => {
    groupings.push(...labels.split(',').map((label) => label.trim()))
    return ''
  })
  const names = /(?<![\w.])([a-zA-Z_:][\w:]*)\s*(\(|\{[^}]*\})?/g
  for (const [, name = '', more = ''] of withoutGroupings.matchAll(names)) {
    if (more === '(' ? functions.has(name) : operators.has(name)) continue
    if (more === '(') throw new Error(`There is no function ${name}: ${expression}`)
    selectors.push({
      metric: name,
      labels: [...more.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
    })
  }
  if (selectors.length === 0) throw new Error(`It asks for nothing: ${expression}`)
  const askedBy = (call: RegExp) => [...withoutGroupings.matchAll(call)].map(([, metric = '']) => metric)
  return {
    selectors,
    groupings,
    growing: askedBy(/\b(?:rate|increase)\(\s*(\w+)/g),
    quantiles: askedBy(/\bhistogram_quantile\([^,]*,\s*sum\s*\(\s*rate\(\s*(\w+)/g),
  }
}

function isBalanced(text: string): boolean {
  const open: string[] = []
  for (const [character] of text.matchAll(/[()[\]{}]/g)) {
    const closing = { '(': ')', '[': ']', '{': '}' }[character]
    if (closing !== undefined) open.push(closing)
    else if (open.pop() !== character) return false
  }
  return open.length === 0
}
