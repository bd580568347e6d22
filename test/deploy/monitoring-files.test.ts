import { beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { readAnchors, readText } from '../docs/markdown.ts'
import type { Exposition } from '../support/exposition.ts'
import { labelsOf, readAllFigures } from '../telemetry/all-figures.ts'
import { readExpression } from './promql.ts'

interface Alert {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook: string }
}

interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[]
}

interface Variable {
  readonly name: string
  readonly type: string
  readonly definition?: string
}

interface Dashboard {
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly Variable[] }
}

const rules = parse(readText('deploy/prometheus/alerts.yaml')) as { groups: { name: string; rules: Alert[] }[] }
const alerts = rules.groups.flatMap((group) => group.rules)
const dashboard = JSON.parse(readText('deploy/grafana/lllm.json')) as Dashboard
const charts = dashboard.panels.filter(({ type }) => type !== 'row')

let figures: Exposition
beforeAll(async () => {
  figures = await readAllFigures()
})

/** What Prometheus adds to every series, and the one that it makes itself. */
const targetLabels = ['job', 'instance']
const ownOfPrometheus = 'up'

/** The metric that a series belongs to, the labels of the series, and what kind it is. */
function findSeries(name: string) {
  const [, base = '', suffix] = /^(\w+?)(_bucket|_sum|_count)?$/.exec(name) ?? []
  const isPart = suffix !== undefined && figures.types.get(base) === 'histogram'
  const metric = isPart ? base : name
  const type = figures.types.get(metric)
  if (type === undefined || (type === 'histogram' && !isPart)) return undefined
  return { type, labels: [...labelsOf(figures, metric), ...(suffix === '_bucket' && isPart ? ['le'] : [])] }
}

/** Everything in which an expression does not fit what the service tells. */
function mistakesIn(expression: string): readonly string[] {
  const { selectors, groupings, growing, quantiles } = readExpression(expression)
  const known = new Set(targetLabels)
  const mistakes: string[] = []
  for (const { metric, labels } of selectors) {
    if (metric === ownOfPrometheus) continue
    const series = findSeries(metric)
    if (series === undefined) mistakes.push(`There is no ${metric}.`)
    for (const label of series?.labels ?? []) known.add(label)
    const strange = labels.filter((label) => ![...targetLabels, ...(series?.labels ?? [])].includes(label))
    mistakes.push(...strange.map((label) => `${metric} has no label ${label}.`))
  }
  mistakes.push(...groupings.filter((label) => !known.has(label)).map((label) => `Nothing has the label ${label}.`))
  const steady = growing.filter((metric) => findSeries(metric)?.type === 'gauge')
  mistakes.push(...steady.map((metric) => `${metric} is a gauge, which has no rate.`))
  const whole = quantiles.filter((metric) => !metric.endsWith('_bucket') || !groupings.includes('le'))
  mistakes.push(...whole.map((metric) => `${metric}: a quantile is that of buckets by le.`))
  return mistakes
}

/** The labels that a series still has which an expression gives. */
function resultLabels(expression: string): readonly string[] {
  const { selectors, groupings } = readExpression(expression)
  if (groupings.length > 0) return groupings
  return [...targetLabels, ...selectors.flatMap(({ metric }) => findSeries(metric)?.labels ?? [])]
}

describe('an expression that does not fit is noticed', () => {
  test.each([
    ['a metric that there is not', 'lllm_requests_total', 'There is no lllm_requests_total.'],
    ['a label that it does not have', 'lllm_runs{status="queued"}', 'lllm_runs has no label status.'],
    ['a group by such a label', 'sum by (model) (rate(lllm_calls_total[5m]))', 'Nothing has the label model.'],
    ['the rate of a gauge', 'rate(lllm_runs[5m])', 'lllm_runs is a gauge, which has no rate.'],
    ['a histogram as a whole', 'rate(lllm_call_duration_seconds[5m])', 'There is no lllm_call_duration_seconds.'],
    [
      'a quantile without its buckets',
      'histogram_quantile(0.9, sum by (tactic) (rate(lllm_call_duration_seconds_bucket[5m])))',
      'lllm_call_duration_seconds_bucket: a quantile is that of buckets by le.',
    ],
  ])('%s', (_what, expression, mistake) => {
    expect(mistakesIn(expression)).toEqual([mistake])
  })

  test.each(['sum(lllm_runs', 'median(lllm_runs)', '1 + 1', 'sum(lllm_runs{state="queued"]})'])('%s', (expression) => {
    expect(() => readExpression(expression)).toThrow(expression)
  })
})

describe('the alert', () => {
  test.each(alerts.map((alert) => [alert.alert, alert] as const))('%s', (_name, { expr, annotations, labels }) => {
    expect(mistakesIn(expr)).toEqual([])
    for (const { labels: narrowed } of readExpression(expr).selectors) expect(narrowed).toContain('job')
    expect(Object.keys(annotations).sort()).toEqual(['description', 'runbook', 'summary'])
    expect(labels).toEqual({ severity: expect.stringMatching(/^(?:critical|warning)$/) })
    for (const [, label] of `${annotations.summary}${annotations.description}`.matchAll(/\$labels\.(\w+)/g)) {
      expect(resultLabels(expr)).toContain(label)
    }
  })
})

test('every alert has its page, in the same order, which says what it means, where to look and what to do', () => {
  const page = readText('docs/alerts.md')
  const [, ...sections] = page.split(/^## /m)
  expect(sections.map((section) => section.split('\n')[0])).toEqual(alerts.map(({ alert }) => alert))
  for (const section of sections) {
    const parts = [...section.matchAll(/^\*\*(.*?)\*\*: \S/gm)].map(([, part]) => part)
    expect(parts).toEqual(['Means', 'Look at', 'Do'])
  }
  const anchors = readAnchors(page).map((anchor) => `docs/alerts.md#${anchor}`)
  for (const { annotations } of alerts) expect(anchors).toContain(annotations.runbook)
})

describe('the panel', () => {
  test.each(charts.map((panel) => [panel.title, panel] as const))('%s', (_title, { targets = [] }) => {
    expect(targets.length).toBeGreaterThan(0)
    for (const { expr, legendFormat } of targets) {
      expect(mistakesIn(expr)).toEqual([])
      for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) expect(resultLabels(expr)).toContain(label)
    }
  })
})

test('the dashboard shows every figure of the service', () => {
  const shown = charts.flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => readExpression(expr).selectors))
  const names = new Set(shown.map(({ metric }) => metric.replace(/_(?:bucket|count|sum)$/, '')))
  const own = [...figures.types.keys()].filter((name) => name.startsWith('lllm_'))
  expect(own.filter((name) => !names.has(name))).toEqual([])
})

test('the dashboard has each variable that it uses, made from labels that there are, and no panel upon another', () => {
  const { list } = dashboard.templating
  const used = [...JSON.stringify(dashboard.panels).matchAll(/\$\{?(\w+)/g)].map(([, name = '']) => name)
  expect([...new Set(used)].filter((name) => name !== '__rate_interval').sort()).toEqual(
    list.map(({ name }) => name).sort(),
  )
  for (const { definition } of list.filter(({ type }) => type === 'query')) {
    const [, metric = '', label = ''] = /^label_values\((\w+), (\w+)\)$/.exec(definition ?? '') ?? []
    expect([...targetLabels, ...labelsOf(figures, metric)]).toContain(label)
  }
  const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, index) => `${x + (index % w)} ${y + Math.floor(index / w)}`),
  )
  expect(new Set(cells).size).toBe(cells.length)
  expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length)
})
