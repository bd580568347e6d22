import { definePrompt, defineTool } from 'lllm'
import { z } from 'zod'

const numbers = z.array(z.number()).min(1).max(1000)

const describeSeries = defineTool({
  name: 'describe_series',
  description: 'Computes count, minimum, maximum, mean, median and sample standard deviation of a series of numbers.',
  args: z.object({ values: numbers }),
  run({ values }) {
    const sorted = values.toSorted((left, right) => left - right)
    const middle = (sorted.length - 1) / 2
    const median = ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2
    const deviation = values.length > 1 ? Math.sqrt(products(values, values) / (values.length - 1)) : null
    return {
      count: values.length,
      minimum: sorted[0],
      maximum: sorted.at(-1),
      mean: mean(values),
      median,
      standard_deviation: deviation,
    }
  },
})

const fitLine = defineTool({
  name: 'fit_line',
  description: 'Fits y = intercept + slope * x to two series of equal length, and computes their Pearson correlation.',
  args: z.object({ x: numbers.min(2), y: numbers.min(2) }),
  run({ x, y }) {
    if (x.length !== y.length) throw new Error(`The series differ in length: ${x.length} and ${y.length}.`)
    const spread = products(x, x)
    if (spread === 0) throw new Error('All values of x are equal, so no line can be fitted.')
    const slope = products(x, y) / spread
    const correlation = slope === 0 ? 0 : products(x, y) / Math.sqrt(spread * products(y, y))
    return { slope, intercept: mean(y) - slope * mean(x), correlation }
  },
})

/** A prompt that needs code, for its tools, is a module. */
export default definePrompt({
  description: 'Answers questions about numbers with computed figures.',
  template: [
    'You are a careful data analyst.',
    'Never calculate in your head: call a tool for every figure that you state.',
    'Answer the question first, in one sentence; then give the figures that it rests on, and what they cannot show.',
  ].join('\n'),
  tools: [describeSeries, fitLine],
})

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** The sum of the products of two series' deviations from their means. */
function products(left: readonly number[], right: readonly number[]): number {
  const [leftMean, rightMean] = [mean(left), mean(right)]
  return left.reduce((sum, value, index) => sum + (value - leftMean) * ((right[index] ?? rightMean) - rightMean), 0)
}
