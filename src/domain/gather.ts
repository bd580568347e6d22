/**
 * Gathers pieces of work by natural batching: what comes while others are being done is done together, next, in the order in which it
 * came. A lone one waits for nobody.
 */
export interface Gathering<Item, Result> {
  /** How many wait for those under way to end. */
  readonly waitingCount: number
  /** Resolves to the result of this item, or rejects with what all that were done with it failed with. */
  add(item: Item): Promise<Result>
}

interface Waiting<Item, Result> {
  readonly item: Item
  resolve(result: Result): void
  reject(reason: unknown): void
}

/** @param work Does up to `itemsMax` items at once, and gives the result of each in its place. It is never called twice at once. */
export function gather<Item, Result>(
  work: (items: readonly Item[]) => Promise<readonly Result[]>,
  itemsMax: number,
): Gathering<Item, Result> {
  let waiting: Waiting<Item, Result>[] = []
  let isWorking = false

  async function workOn() {
    isWorking = true
    while (waiting.length > 0) {
      const batch = waiting.slice(0, itemsMax)
      waiting = waiting.slice(itemsMax)
      await workOff(batch)
    }
    isWorking = false
  }

  async function workOff(batch: readonly Waiting<Item, Result>[]) {
    try {
      const results = await work(batch.map(({ item }) => item))
      for (const [index, result] of results.entries()) batch[index]?.resolve(result)
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }

  return {
    get waitingCount() {
      return waiting.length
    },
    add: (item) =>
      new Promise((resolve, reject) => {
        waiting.push({ item, resolve, reject })
        if (!isWorking) void workOn()
      }),
  }
}
