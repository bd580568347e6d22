import type { ServerResponse } from 'node:http'

/** A client that takes longer than this to send its request, or to read its answer, is cut off when the service ends. */
export const closingMaxMs = 1_000

/** The answers that are not over yet. */
export interface OpenAnswers {
  /** Counts an answer as open until its connection has nothing more to do with it. */
  add(answer: ServerResponse): void
  /** Closes, {@link closingMaxMs} from now, the connections of those that are open then. */
  cutOffSoon(): void
}

export function createOpenAnswers(): OpenAnswers {
  const open = new Set<ServerResponse>()
  return {
    add(answer) {
      open.add(answer)
      answer.once('close', () => open.delete(answer))
    },
    cutOffSoon() {
      // It keeps nothing alive: while a connection is open, that does.
      setTimeout(() => {
        for (const answer of open) answer.destroy()
      }, closingMaxMs).unref()
    },
  }
}
