import { addCosts, type Cost, noCost } from '../../domain/cost.ts'
import { tellCost, tellCount, tellDuration } from '../look/figures.ts'
import type { Screen } from '../run/live-view-screen.ts'

const redrawEveryMs = 200
/** Where nothing can be drawn, a line is said in this rhythm. */
const sayEveryMs = 10_000
const barColumns = 20

export interface Counts {
  success: number
  failure: number
  cancelled: number
  /** Never started. */
  skipped: number
}

/** How far a batch is. */
export class Progress {
  readonly total: number
  /** Tasks that were done before this run. */
  readonly earlier: number
  readonly startedAtMs: number
  readonly counts: Counts = { success: 0, failure: 0, cancelled: 0, skipped: 0 }
  cost: Cost = noCost

  constructor(total: number, earlier: number, startedAtMs: number) {
    this.total = total
    this.earlier = earlier
    this.startedAtMs = startedAtMs
  }

  add(status: keyof Counts, cost: Cost): void {
    this.counts[status]++
    this.cost = addCosts([this.cost, cost])
  }

  /** Tasks that ended in this run. */
  get ended(): number {
    const { success, failure, cancelled } = this.counts
    return success + failure + cancelled
  }
}

export interface ProgressView {
  /** To be called whenever a task has ended. */
  update(): void
  end(): void
}

/** Shows progress: a bar on a terminal, and elsewhere a line now and then. */
export function openProgressView(screen: Screen, progress: Progress, now: () => number): ProgressView {
  let saidAtMs = now()
  const redraw = () => screen.draw([{ text: tellProgress(progress, now(), barColumns) }])
  const timer = screen.isLive ? setInterval(redraw, redrawEveryMs) : undefined
  return {
    update() {
      if (screen.isLive || now() - saidAtMs < sayEveryMs) return
      saidAtMs = now()
      void screen.say(`lllm: ${tellProgress(progress, saidAtMs)}`)
    },
    end() {
      clearInterval(timer)
      screen.clear()
    },
  }
}

/** `[####      ] 40/100, 2 failed, 3.1/s, 19 s left, $0.12` */
export function tellProgress(progress: Progress, nowMs: number, columns = 0): string {
  const { total, earlier, ended, counts, cost, startedAtMs } = progress
  const done = earlier + ended
  const filled = total === 0 ? columns : Math.floor((done / total) * columns)
  const bar = columns === 0 ? '' : `[${'#'.repeat(filled)}${' '.repeat(columns - filled)}] `
  const seconds = (nowMs - startedAtMs) / 1_000
  const rate = seconds > 0 ? ended / seconds : 0
  const pace = rate > 0 ? [tellRate(rate), `${tellDuration(((total - done) / rate) * 1_000)} left`] : []
  const failed = counts.failure > 0 ? [`${counts.failure} failed`] : []
  return [`${bar}${done}/${total}`, ...failed, ...pace, tellCost(cost)].join(', ')
}

function tellRate(rate: number): string {
  return rate >= 1 ? `${rate.toFixed(1)}/s` : `${(rate * 60).toFixed(1)}/min`
}

/** One line: what came of a batch. */
export function tellSums(progress: Progress, nowMs: number): string {
  const { counts, earlier, total, cost, startedAtMs } = progress
  const parts = [
    ...(earlier > 0 ? [`${earlier} done before`] : []),
    `${counts.success} success`,
    `${counts.failure} failure`,
    ...(counts.cancelled > 0 ? [`${counts.cancelled} cancelled`] : []),
    ...(counts.skipped > 0 ? [`${counts.skipped} not started`] : []),
    tellCost(cost),
    tellDuration(nowMs - startedAtMs),
  ]
  return `${tellCount(total, 'task')}: ${parts.join(', ')}`
}
