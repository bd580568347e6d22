import { expect, test } from 'vitest'
import { labelValuesMax } from '../../src/telemetry/label-names.ts'
import { seriesMax } from '../../src/telemetry/model-series.ts'
import { labelsOf, readAllFigures } from '../telemetry/all-figures.ts'
import { readText } from './markdown.ts'

const page = readText('docs/monitoring.md')

test('docs/monitoring.md lists every figure of the service, with its type and its labels', async () => {
  const figures = await readAllFigures()
  const own = [...figures.types].filter(([name]) => name.startsWith('lllm_'))
  const rows = [...page.matchAll(/^\| `(lllm_\w+)` \| (\w+) \| ([^|]*) \|/gm)].map(([, name, type, labels = '']) => {
    return [name, type, [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label)]
  })
  expect(rows.length).toBeGreaterThan(20)
  const byName = (left: readonly unknown[], right: readonly unknown[]) => (String(left[0]) < String(right[0]) ? -1 : 1)
  expect(rows.toSorted(byName)).toEqual(own.map(([name, type]) => [name, type, labelsOf(figures, name)]).sort(byName))
})

test('docs/monitoring.md tells the bounds that hold', () => {
  expect(page).toContain(`up to ${labelValuesMax} values`)
  expect(page).toContain(`up to ${seriesMax} combinations`)
})
