import type { Clock, World } from '../domain/clock.ts'
import type { Invoker, PriceBook } from '../domain/invoker.ts'
import type { InvokerPool } from '../domain/invoker-pool.ts'
import type { Tool } from '../domain/tool.ts'
import type { ToolSource } from '../domain/tool-source.ts'

/** A clock that nobody waits for: a sleep is noted down, and time has passed. It begins with 2026-01-01 UTC. */
export function manualClock(random = 0.5) {
  const sleeps: number[] = []
  let nowMs = Date.UTC(2026, 0, 1)
  const clock: Clock = {
    now: () => nowMs,
    async sleep(durationMs, signal) {
      signal.throwIfAborted()
      sleeps.push(durationMs)
      nowMs += durationMs
    },
    random: () => random,
  }
  return { clock, sleeps }
}

/** UUIDv7 in their form, but they count up. */
export function countingIds(): World['newId'] {
  let count = 0
  return () => `00000000-0000-7000-8000-${(++count).toString(16).padStart(12, '0')}`
}

/** One price for every model that is known, in USD for a million tokens: 1 of the prompt, 2 of the completion. */
export function flatPrices(isKnown: (model: string) => boolean = () => true): PriceBook {
  return {
    price(models, { promptTokens, completionTokens }) {
      if (!models.some(isKnown)) return null
      return { promptPicoUsd: promptTokens * 1_000_000, completionPicoUsd: completionTokens * 2_000_000 }
    },
  }
}

/** One invoker under all names that a config may say: those of the settings, and those that it declares. */
export function poolOf(invoker: Invoker, others: readonly Invoker[] = []): InvokerPool {
  return {
    default: invoker,
    builtIn: new Map(others.map((other) => [other.name, other])),
    declared: (name) => ({ ...invoker, name }),
    all: () => [invoker, ...others],
    close: async () => {},
  }
}

/** The tools of MCP servers, by the name of the server. No server is asked. */
export function toolSourceOf(mcp: Readonly<Record<string, readonly Tool[]>> = {}): ToolSource {
  return {
    servers: Object.keys(mcp),
    tools: async (server) => mcp[server] ?? [],
    close: async () => {},
  }
}
