import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { LllmError } from '../domain/errors.ts'
import { Slab } from '../domain/slab.ts'

/** Calls that may wait for the worker at once. Saves are gathered before, so this is about readers. */
const callsMax = 1_000
/** How often in a row a worker that ends before it has answered anything is started again. */
const restartsMax = 5

type Methods<Port> = { readonly [Name in keyof Port]: (...args: never[]) => Promise<unknown> }

export interface WorkerRequest<Port> {
  readonly call: number
  readonly method: keyof Port
  readonly args: readonly unknown[]
}

/** What went wrong in the worker: words for whoever called, and the error itself for the log. */
export interface WorkerFailure {
  readonly message: string
  readonly cause: unknown
}

export type WorkerReply =
  | { readonly call: number; readonly value: unknown }
  | { readonly call: number; readonly failure: WorkerFailure }

/** What the thread is started with, as its `workerData`. */
export interface WorkerStart<Data> {
  /** Requests come here, and replies go. */
  readonly port: MessagePort
  readonly data: Data
}

interface PendingCall {
  resolve(value: unknown): void
  reject(error: LllmError): void
}

/**
 * Calls the methods of a port in a worker thread. A call rejects with an LllmError `store-unavailable` and with nothing
 * else. When the worker dies, so do the calls that it had, and the next one starts it again, within a bound.
 */
export function createWorkerLink<Port extends Methods<Port>>(file: URL, data: unknown) {
  let pending = new Slab<PendingCall>()
  let thread: { readonly worker: Worker; readonly port: MessagePort } | undefined
  let deathsInARow = 0

  function start() {
    const { port1: port, port2 } = new MessageChannel()
    const workerData: WorkerStart<unknown> = { port: port2, data }
    const worker = new Worker(file, { workerData, transferList: [port2] })
    const started = { worker, port }
    const die = (cause: unknown) => {
      if (thread !== started) return
      takeReplies()
      thread = undefined
      port.close()
      deathsInARow += 1
      const error = toLllmError({ message: 'The thread of the session store ended. It is started again.', cause })
      for (const { reject } of pending) reject(error)
      pending = new Slab()
    }
    // Whatever another thread has still to say is about calls that are over.
    port.on('message', (reply: WorkerReply) => thread === started && onReply(reply))
    port.on('messageerror', (cause) => {
      die(cause)
      void worker.terminate()
    })
    worker.on('error', die)
    worker.on('exit', (code) => die(new Error(`The thread exited with code ${code}.`)))
    return started
  }

  /** Settles what has been answered, without waiting for its turn. */
  function takeReplies() {
    if (thread === undefined || pending.size === 0) return
    const { port } = thread
    for (let given = receiveMessageOnPort(port); given !== undefined; given = receiveMessageOnPort(port)) {
      onReply(given.message as WorkerReply)
    }
  }

  function onReply(reply: WorkerReply) {
    deathsInARow = 0
    settle(reply)
  }

  function settle(reply: WorkerReply) {
    const entry = pending.at(reply.call)
    if (entry === undefined) return
    const { value: waiting } = entry
    pending.remove(entry)
    if (pending.size === 0) unref()
    if ('failure' in reply) waiting.reject(toLllmError(reply.failure))
    else waiting.resolve(reply.value)
  }

  /** A forgotten close() must not keep a process alive that waits for nothing. */
  function unref() {
    thread?.worker.unref()
    thread?.port.unref()
  }

  return {
    takeReplies,
    async call<Name extends keyof Port>(
      method: Name,
      ...args: Parameters<Port[Name]>
    ): Promise<ReturnedBy<Port[Name]>> {
      if (pending.size >= callsMax) throw unavailable(`More than ${callsMax} calls wait for the session store.`)
      if (thread === undefined && deathsInARow > restartsMax) {
        throw unavailable(`The thread of the session store ended ${deathsInARow} times in a row. Restart the service.`)
      }
      thread ??= start()
      const { promise, resolve, reject } = Promise.withResolvers<unknown>()
      const { index: call } = pending.add({ resolve, reject })
      if (pending.size === 1) {
        thread.worker.ref()
        thread.port.ref()
      }
      try {
        thread.port.postMessage({ call, method, args } satisfies WorkerRequest<Port>)
      } catch (cause) {
        // What cannot be copied to a thread cannot be stored either.
        settle({ call, failure: { message: 'The session store was given a value that is not plain data.', cause } })
      }
      return promise as Promise<ReturnedBy<Port[Name]>>
    },
    /** Ends the thread. Calls that are still waiting reject. */
    async end() {
      const ending = thread?.worker
      await ending?.terminate()
    },
  }
}

type ReturnedBy<Method> = Method extends (...args: never[]) => Promise<infer Result> ? Result : never

export function toLllmError({ message, cause }: WorkerFailure): LllmError {
  return new LllmError('store-unavailable', message, {}, { cause })
}

function unavailable(message: string): LllmError {
  return new LllmError('store-unavailable', message)
}
