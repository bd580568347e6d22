/** Somebody who waits for places. */
export interface Waiter {
  readonly tenant: string
  readonly places: number
  readonly admit: () => void
  /** Is called once it has left the line. */
  readonly refuse: () => void
}

interface Line {
  /** In the order of their arrival. */
  readonly waiters: Set<Waiter>
  /** Places for which they wait. */
  places: number
}

/**
 * Those who wait for places, in a line for each tenant.
 *
 * @param takenBy How many places a tenant has.
 * @param onChange Is told how many places more are waited for, or fewer.
 */
export function createWaitingLines(takenBy: (tenant: string) => number, onChange: (change: number) => void) {
  /** Only of tenants that wait, by whose turn was longest ago. */
  const lines = new Map<string, Line>()
  let waiting = 0

  function wait(line: Line, change: number) {
    line.places += change
    waiting += change
    onChange(change)
  }

  function leave(waiter: Waiter) {
    const { tenant, places } = waiter
    const line = lines.get(tenant)
    if (line === undefined || !line.waiters.delete(waiter)) return
    wait(line, -places)
    if (line.waiters.size === 0) lines.delete(tenant)
  }

  function longest(): Line | undefined {
    let longest: Line | undefined
    for (const line of lines.values()) if (longest === undefined || line.places > longest.places) longest = line
    return longest
  }

  return {
    get isEmpty() {
      return lines.size === 0
    },
    join(waiter: Waiter) {
      const line = lines.get(waiter.tenant) ?? { waiters: new Set(), places: 0 }
      lines.set(waiter.tenant, line)
      line.waiters.add(waiter)
      wait(line, waiter.places)
    },
    leave,
    /** Leaves the line, whose next turn comes after that of all others. */
    takeTurn(waiter: Waiter) {
      const { tenant } = waiter
      leave(waiter)
      const line = lines.get(tenant)
      if (line === undefined) return
      lines.delete(tenant)
      lines.set(tenant, line)
    },
    /** Whose turn it is; undefined: nobody waits. */
    next(): Waiter | undefined {
      let next: Line | undefined
      let fewest = Infinity
      for (const [tenant, line] of lines) {
        const taken = takenBy(tenant)
        if (taken < fewest) [next, fewest] = [line, taken]
      }
      const [first] = next?.waiters ?? []
      return first
    },
    /**
     * Whether there is room for somebody more, of `max` places. Where there would be none, those leave who came last of tenants that wait for
     * more than this one then would; none does in vain.
     */
    makeRoom(tenant: string, places: number, max: number): boolean {
      const own = (lines.get(tenant)?.places ?? 0) + places
      const beyondOwn = [...lines.values()].reduce((sum, line) => sum + Math.max(0, line.places - own), 0)
      if (waiting + places - beyondOwn > max) return false
      while (waiting + places > max) {
        const last = [...(longest()?.waiters ?? [])].at(-1)
        if (last === undefined) return false
        leave(last)
        last.refuse()
      }
      return true
    },
  }
}
