import { type House, loadHouse } from '../../load-house.ts'
import { readSettings, type Settings } from '../../settings.ts'
import { systemWorld } from '../../system-world.ts'
import type { Shell } from '../shell.ts'
import { writeWarnings } from '../write.ts'

/** Loads the tactics for as long as a piece of work takes. No database is opened, and no provider is asked. */
export async function withHouse<Result>(
  { env, folder, stderr }: Shell,
  work: (house: House, settings: Settings) => Promise<Result>,
): Promise<Result> {
  const settings = readSettings(env)
  const house = await loadHouse(settings, { folder, clock: systemWorld.clock })
  try {
    await writeWarnings(stderr, [...settings.warnings, ...house.warnings])
    return await work(house, settings)
  } finally {
    await house.close()
  }
}
