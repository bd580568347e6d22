import { isEndEvent, isEnded, type Run, type StoredRunEvent } from '../domain/run.ts'
import type { TenantRunStore } from '../domain/run-store.ts'
import type { ChangeHub } from './change-hub.ts'

/** Events that are read at once. */
const pageSize = 200

/** Waits until a run has ended, at most until a time, and gives what it is then; undefined: there is no such run. */
export async function waitForEnd(
  parts: { readonly store: Pick<TenantRunStore, 'get'>; readonly hub: ChangeHub; now(): number },
  id: string,
  untilMs: number,
  signal: AbortSignal,
): Promise<Run | undefined> {
  const { store, hub, now } = parts
  const changes = hub.listen(`run:${id}`)
  try {
    for (;;) {
      const run = await store.get(id)
      const leftMs = untilMs - now()
      if (run === undefined || isEnded(run) || leftMs <= 0 || signal.aborted) return run
      await changes.next(Math.min(leftMs, hub.lookAgainMs), signal)
    }
  } finally {
    changes.close()
  }
}

/** The events of a run, those that are stored and then those that come, up to its last one. */
export async function* followRun(
  { store, hub }: { readonly store: Pick<TenantRunStore, 'get' | 'events'>; readonly hub: ChangeHub },
  id: string,
  afterSeq: number,
  signal: AbortSignal,
): AsyncGenerator<StoredRunEvent> {
  const changes = hub.listen(`run:${id}`)
  let lastSeq = afterSeq
  try {
    while (!signal.aborted) {
      // Looked at before the events are read: of a run that has ended then, nothing comes after them.
      const run = await store.get(id)
      const page = await store.events(id, lastSeq, pageSize)
      for (const stored of page) {
        yield stored
        lastSeq = stored.seq
        if (isEndEvent(stored.event)) return
      }
      if (page.length > 0) continue
      if (run === undefined || isEnded(run)) return
      await changes.next(hub.lookAgainMs, signal)
    }
  } finally {
    changes.close()
  }
}
