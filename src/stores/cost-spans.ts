export const hourMs = 3_600_000
export const dayMs = 86_400_000

/** How long ago an hour has to have ended before it is summed: calls that began in it have been saved by then, nearly all of them. */
export const settleMs = hourMs

/** A stretch of time, in ms since 1970: `toMs` is no longer in it. Either may be infinite. */
export interface TimeRange {
  readonly fromMs: number
  readonly toMs: number
}

/** An hour or a day, or several of them. */
export interface CostSpan extends TimeRange {
  readonly spanMs: typeof hourMs | typeof dayMs
}

/** What the costs of a stretch are read from: the sums of its hours, those of its days, or its sessions. */
export type CostPart = CostSpan | (TimeRange & { readonly spanMs: null })

/**
 * Parts a stretch of time into whole UTC days, the whole hours before and after them, and what is left at both ends: the
 * beginning of the first hour, and what is too young to be summed. In their order, without those in which nothing is.
 *
 * @param firstMs The start of the oldest session of all.
 */
export function partCosts({ fromMs, toMs }: TimeRange, firstMs: number, nowMs: number): readonly CostPart[] {
  const end = Math.max(toMs, fromMs)
  const within = (timeMs: number) => Math.min(Math.max(timeMs, fromMs), end)
  const isBefore1970 = firstMs < 0
  const hoursFrom = Math.max(up(fromMs, hourMs), isBefore1970 ? 0 : down(firstMs, hourMs))
  const hoursTo = Math.max(down(Math.min(toMs, nowMs - settleMs), hourMs), hoursFrom)
  const daysFrom = Math.min(up(hoursFrom, dayMs), hoursTo)
  const daysTo = Math.max(down(hoursTo, dayMs), daysFrom)
  const parts: readonly CostPart[] = [
    { spanMs: null, fromMs, toMs: within(hoursFrom) },
    { spanMs: hourMs, fromMs: within(hoursFrom), toMs: within(daysFrom) },
    { spanMs: dayMs, fromMs: within(daysFrom), toMs: within(daysTo) },
    { spanMs: hourMs, fromMs: within(daysTo), toMs: within(hoursTo) },
    { spanMs: null, fromMs: within(hoursTo), toMs: end },
  ]
  return parts.filter((part) => part.fromMs < part.toMs && part.toMs > firstMs)
}

/** The starts of all hours or days. */
export function startsOf({ spanMs, fromMs, toMs }: CostSpan): readonly number[] {
  return Array.from({ length: (toMs - fromMs) / spanMs }, (_, index) => fromMs + index * spanMs)
}

/** All hours or days, one by one. */
export function spansOf(span: CostSpan): readonly CostSpan[] {
  const { spanMs } = span
  return startsOf(span).map((fromMs) => ({ spanMs, fromMs, toMs: fromMs + spanMs }))
}

/**
 * The stretches of hours or days that have not been summed, neighbours in one.
 *
 * @param summed The starts of those that have been.
 */
export function gapsOf(part: CostSpan, summed: ReadonlySet<number>): readonly TimeRange[] {
  const { spanMs } = part
  const gaps: { fromMs: number; toMs: number }[] = []
  for (const fromMs of startsOf(part).filter((start) => !summed.has(start))) {
    const last = gaps.at(-1)
    if (last?.toMs === fromMs) last.toMs += spanMs
    else gaps.push({ fromMs, toMs: fromMs + spanMs })
  }
  return gaps
}

function up(timeMs: number, stepMs: number): number {
  return Math.ceil(timeMs / stepMs) * stepMs
}

function down(timeMs: number, stepMs: number): number {
  return Math.floor(timeMs / stepMs) * stepMs
}
