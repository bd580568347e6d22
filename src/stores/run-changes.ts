import type { RunChange } from '../domain/run-store.ts'

/** Tells those who watch runs what has changed. */
export interface RunChanges {
  tell(change: RunChange): void
  watch(onChange: (change: RunChange) => void): () => void
}

/** Changes that this process has made itself. */
export function localRunChanges(): RunChanges {
  const watchers = new Set<(change: RunChange) => void>()
  return {
    tell(change) {
      for (const onChange of watchers) onChange(change)
    },
    watch(onChange) {
      watchers.add(onChange)
      return () => void watchers.delete(onChange)
    },
  }
}
