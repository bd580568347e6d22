/** Runs of one tenant, key and priority that are due, in the order in which they are started. */
export interface Lane {
  readonly tenant: string
  /** Empty: they are of no key. */
  readonly keyId: string
  /** Runs of the key that may be under way at once. Null: any number. */
  readonly keyConcurrency: number | null
  readonly priority: number
  /** The first of them, as it looks before any is taken: another may have it by then. */
  readonly first: DueRun
}

export interface DueRun {
  readonly id: string
  readonly runAtMs: number
}

/** How many runs a key, or none, has under way for a tenant. */
export interface UnderWay {
  readonly tenant: string
  readonly keyId: string
  readonly count: number
}

export interface TurnParts {
  readonly lanes: readonly Lane[]
  readonly underWay: readonly UnderWay[]
  /** Runs that are wanted, 1 or more. */
  readonly slots: number
  /** Takes up to so many runs of a lane after one of them, so that nobody else gets them. Fewer: there are no more. */
  readonly take: (lane: Lane, count: number, after: DueRun | undefined) => Promise<readonly DueRun[]>
}

/** Tenants of whom it is remembered when they had their turn. Of those beyond, it was longest ago. */
const rememberedMax = 10_000

interface OpenLane {
  readonly lane: Lane
  /** What was taken and not started yet. */
  taken: DueRun[]
  /** The last one that was taken. */
  last: DueRun | undefined
  /** Whether there is nothing more to be taken. */
  isDry: boolean
  /** The next one to be started, as far as that is known. */
  next: DueRun
}

interface Waiting {
  readonly tenant: string
  readonly sinceMs: number
  readonly lanes: Set<OpenLane>
  count: number
}

/**
 * Whose run is started next: one of the tenant with the fewest under way, of several such of the one whose last turn was longest ago, and then
 * of the one who waits longest. Within a tenant the priority decides, and then the time. Who had a turn is remembered by this process:
 * of several processes each is fair by itself.
 */
export function createFairTurns() {
  /** By whose turn was longest ago. */
  const turns = new Map<string, number>()
  let turn = 0

  function noteTurn(tenant: string) {
    turns.delete(tenant)
    turns.set(tenant, ++turn)
    const [oldest] = turns.keys()
    if (turns.size > rememberedMax && oldest !== undefined) turns.delete(oldest)
  }

  function goesFirst(left: Waiting, right: Waiting): boolean {
    const difference =
      left.count - right.count ||
      (turns.get(left.tenant) ?? 0) - (turns.get(right.tenant) ?? 0) ||
      left.sinceMs - right.sinceMs
    return difference < 0
  }

  /** The ids of the runs to start, in their order. */
  return async function choose({ lanes, underWay, slots, take }: TurnParts): Promise<readonly string[]> {
    const keyCounts = new Map<string, number>()
    for (const { keyId, count } of underWay) keyCounts.set(keyId, (keyCounts.get(keyId) ?? 0) + count)
    const isFull = ({ keyId, keyConcurrency }: Lane) =>
      keyConcurrency !== null && (keyCounts.get(keyId) ?? 0) >= keyConcurrency
    const waiting = gatherTenants(
      lanes.filter((lane) => !isFull(lane)),
      underWay,
    )
    const chosen: string[] = []

    /** No more than the share of a tenant, so that nobody is kept from what is not started then. */
    async function refill(open: OpenLane): Promise<void> {
      const count = Math.ceil((slots - chosen.length) / waiting.size)
      open.taken = [...(await take(open.lane, count, open.last))]
      open.last = open.taken.at(-1)
      open.isDry = open.taken.length < count
    }

    function start(open: OpenLane, tenant: Waiting) {
      const run = open.taken.shift() as DueRun
      chosen.push(run.id)
      noteTurn(tenant.tenant)
      tenant.count++
      const { keyId } = open.lane
      keyCounts.set(keyId, (keyCounts.get(keyId) ?? 0) + 1)
      for (const other of tenant.lanes) if (isFull(other.lane)) tenant.lanes.delete(other)
    }

    while (chosen.length < slots && waiting.size > 0) {
      const tenant = firstOf(waiting, goesFirst)
      const open = firstOf(tenant.lanes, isBefore)
      if (open.taken.length > 0) start(open, tenant)
      if (open.taken.length === 0 && !open.isDry && chosen.length < slots && tenant.lanes.has(open)) await refill(open)
      // What a lane was thought to begin with may be somebody else's by now: then another may go first.
      const [next] = open.taken
      if (next === undefined) tenant.lanes.delete(open)
      else open.next = next
      if (tenant.lanes.size === 0) waiting.delete(tenant)
    }
    return chosen
  }
}

function gatherTenants(lanes: readonly Lane[], underWay: readonly UnderWay[]): Set<Waiting> {
  const byTenant = Map.groupBy(lanes, ({ tenant }) => tenant)
  const counts = new Map<string, number>()
  for (const { tenant, count } of underWay) counts.set(tenant, (counts.get(tenant) ?? 0) + count)
  const waiting = [...byTenant].map(
    ([tenant, own]): Waiting => ({
      tenant,
      sinceMs: own.reduce((since, { first }) => Math.min(since, first.runAtMs), Infinity),
      lanes: new Set(own.map((lane) => ({ lane, taken: [], last: undefined, isDry: false, next: lane.first }))),
      count: counts.get(tenant) ?? 0,
    }),
  )
  return new Set(waiting)
}

function isBefore(left: OpenLane, right: OpenLane): boolean {
  const difference = right.lane.priority - left.lane.priority || left.next.runAtMs - right.next.runAtMs
  return difference < 0 || (difference === 0 && left.next.id < right.next.id)
}

/** Of a set that has one at least. */
function firstOf<Item>(items: Iterable<Item>, goesFirst: (left: Item, right: Item) => boolean): Item {
  let [first] = items as Iterable<Item> & Item[]
  for (const item of items) if (goesFirst(item, first as Item)) first = item
  return first as Item
}
