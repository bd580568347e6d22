import { sharedRatesContract } from '../contracts/shared-rates.ts'
import { memoryRates } from '../support/memory-rates.ts'

sharedRatesContract('memory', async () => {
  let nowMs = Date.UTC(2026, 0, 1)
  const { rates } = memoryRates(() => nowMs)
  const advance = async (durationMs: number) => {
    nowMs += durationMs
  }
  return { processes: [rates], advance }
})
