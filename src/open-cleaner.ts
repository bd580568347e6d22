import type { World } from './domain/clock.ts'
import type { BackgroundWork } from './runs/background-work.ts'
import { type CleanerEvent, createCleaner } from './runs/cleaner.ts'
import type { Settings } from './settings.ts'
import type { StoreWithBudgets } from './stores/budget-tables.ts'

const dayMs = 86_400_000

/** Puts together what removes what is older than the settings allow. */
export function openCleaner(
  { keepSessionsDays, keepPayloadsDays, keepEventsDays }: Settings,
  { retention, idempotency }: Pick<StoreWithBudgets, 'retention' | 'idempotency'>,
  {
    world,
    onCleanerEvent = () => {},
  }: { readonly world: World; readonly onCleanerEvent?: (event: CleanerEvent) => void },
): BackgroundWork {
  const keep = {
    ...(keepSessionsDays === undefined ? {} : { sessionsMs: keepSessionsDays * dayMs }),
    ...(keepPayloadsDays === undefined ? {} : { payloadsMs: keepPayloadsDays * dayMs }),
    ...(keepEventsDays === undefined ? {} : { eventsMs: keepEventsDays * dayMs }),
  }
  return createCleaner({ store: retention, idempotency, clock: world.clock, keep, onEvent: onCleanerEvent })
}
