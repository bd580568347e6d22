import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Slab } from '../domain/slab.ts'

/** A client that takes longer than this to send its request, or to read its answer, is cut off when the service ends. */
export const closingMaxMs = 1_000
/** A reader who takes nothing of what is there for him in this time is disconnected. */
export const readerPatienceMs = 30_000
/** How often a reader is looked at within that time. */
const looksMax = 3

/** The answers that are not over yet. Of those that nobody reads the connections are closed. */
export interface OpenAnswers {
  /** Counts an answer as open until its connection has nothing more to do with it. */
  add(answer: ServerResponse): void
  /** Lets the reader of an answer rest for as long as he likes: it is made no faster than he reads, and has an end by itself. */
  letRest(answer: ServerResponse): void
  /** Closes, {@link closingMaxMs} from now, the connections of those that are open then. */
  cutOffSoon(): void
}

/** What was sent by the last look, and looks since then at which it was the same. */
interface Progress {
  sentBytes: number
  queuedBytes: number
  looks: number
}

/**
 * What nobody reads holds a connection, and as much as fits into its buffers: without an end, whoever reaches the service could take all
 * connections there are.
 */
export function createOpenAnswers(patienceMs: number = readerPatienceMs): OpenAnswers {
  const open = new Slab<ServerResponse>()
  const resting = new WeakSet<ServerResponse>()
  const progresses = new WeakMap<ServerResponse, Progress>()
  let timer: NodeJS.Timeout | undefined

  const look = () => {
    for (const answer of open) {
      const { socket } = answer
      // Answers to requests that were sent before their turn have no socket yet.
      if (socket === null || socket.writableLength === 0 || resting.has(answer)) {
        progresses.delete(answer)
        continue
      }
      const progress = progresses.get(answer)
      const now = measure(socket)
      const isSame = progress?.sentBytes === now.sentBytes && progress.queuedBytes === now.queuedBytes
      const looks = isSame ? progress.looks + 1 : 0
      if (looks >= looksMax) socket.destroy()
      else progresses.set(answer, { ...now, looks })
    }
    if (open.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
  return {
    add(answer) {
      const entry = open.add(answer)
      answer.on('close', () => open.remove(entry))
      // It keeps nothing alive: while a connection is open, that does.
      timer ??= setInterval(look, patienceMs / looksMax).unref()
    },
    letRest(answer) {
      resting.add(answer)
    },
    cutOffSoon() {
      // Nor does this.
      setTimeout(() => {
        for (const answer of open) answer.destroy()
      }, closingMaxMs).unref()
    },
  }
}

/** What Node has handed to the system, and what of it the system has not taken yet, which is all that tells of a large piece under way. */
function measure(socket: Socket): Pick<Progress, 'sentBytes' | 'queuedBytes'> {
  const { _handle: handle } = socket as Socket & { readonly _handle?: { readonly writeQueueSize?: number } | null }
  return { sentBytes: socket.bytesWritten - socket.writableLength, queuedBytes: handle?.writeQueueSize ?? 0 }
}
