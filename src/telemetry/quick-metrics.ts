import { Counter, type Metric, type Registry } from 'prom-client'
import { type LabelledFigures, LabelSeries } from './label-series.ts'

// What each call is counted by. Counters and histograms of prom-client check, join and look up their labels each time, which takes a few
// microseconds of every call and 2 kB of garbage; these do when they are read.

interface Named {
  readonly name: string
  readonly help: string
  /** One to four. */
  readonly labelNames: readonly string[]
}

/** A counter: the figures of a combination of labels are to be added to. */
export function openCounts(registry: Registry, named: Named): LabelSeries<{ count: number }> {
  const series = new LabelSeries(named.labelNames, () => ({ count: 0 }))
  new Counter({
    ...named,
    registers: [registry],
    collect() {
      this.reset()
      for (const { labels, figures } of series.all()) this.inc(labels, figures.count)
    },
  })
  return series
}

/** How often a duration was how long. */
export class Durations {
  readonly bounds: readonly number[]
  /** For each bound, what is above the one before; at last what is above all. */
  readonly counts: number[]
  sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = Array<number>(bounds.length + 1).fill(0)
  }

  observe(seconds: number): void {
    let index = 0
    while (index < this.bounds.length && seconds > (this.bounds[index] ?? 0)) index++
    this.counts[index] = (this.counts[index] ?? 0) + 1
    this.sum += seconds
  }
}

/** A histogram of durations in seconds. */
export function openDurations(
  registry: Registry,
  { buckets, ...named }: Named & { readonly buckets: readonly number[] },
): LabelSeries<Durations> {
  const series = new LabelSeries(named.labelNames, () => new Durations(buckets))
  const { name, help } = named
  const get = async () => ({
    name,
    help,
    type: 'histogram',
    aggregator: 'sum',
    values: series.all().flatMap((one) => toValues(name, one)),
  })
  registry.registerMetric({ name, get } as unknown as Metric<string>)
  return series
}

/** As Prometheus wants them: each bucket has what is in those below it as well. */
function toValues(name: string, { labels, figures: { bounds, counts, sum } }: LabelledFigures<Durations>) {
  let count = 0
  const buckets = counts.map((own, index) => {
    count += own
    return { metricName: `${name}_bucket`, labels: { le: bounds[index] ?? '+Inf', ...labels }, value: count }
  })
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ]
}
