import { type House, loadHouse } from '../load-house.ts'
import { readSettings, type Settings } from '../settings.ts'
import { systemWorld } from '../system-world.ts'
import { harmlessLines } from './display-text.ts'
import type { Shell } from './shell.ts'
import { styled, write } from './write.ts'

/** Loads the tactics for as long as a piece of work takes. No database is opened, and no provider is asked. */
export async function withHouse<Result>(
  { env, folder, stderr }: Shell,
  work: (house: House, settings: Settings) => Promise<Result>,
): Promise<Result> {
  const settings = readSettings(env)
  const house = await loadHouse(settings, { folder, clock: systemWorld.clock })
  try {
    for (const warning of [...settings.warnings, ...house.warnings]) {
      await write(stderr, `${styled(stderr, 'yellow', 'warning')} ${harmlessLines(warning)}\n`)
    }
    return await work(house, settings)
  } finally {
    await house.close()
  }
}
