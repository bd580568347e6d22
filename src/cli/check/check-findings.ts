import { type ErrorCode, isLllmError, type LllmError } from '../../domain/errors.ts'

export interface Mistake {
  readonly code: ErrorCode
  /** The file, where it is known. */
  readonly file: string | null
  readonly message: string
}

/** More than this nobody reads, and a list without end helps nobody. */
const mistakesMax = 1_000

/** What a check has found so far. What is found by two ways is one finding. */
export class Findings {
  readonly #mistakes = new Map<string, Mistake>()
  readonly #warnings = new Set<string>()

  get mistakes(): readonly Mistake[] {
    return [...this.#mistakes.values()]
  }

  get warnings(): readonly string[] {
    return [...this.#warnings]
  }

  /** Notes a mistake. */
  note({ code, message, data }: LllmError): void {
    if (this.#mistakes.size >= mistakesMax) return
    if (!this.#mistakes.has(message)) this.#mistakes.set(message, { code, file: data.file ?? null, message })
  }

  warn(warnings: readonly string[]): void {
    for (const warning of warnings) if (this.#warnings.size < mistakesMax) this.#warnings.add(warning)
  }

  /** Does a piece of work that may find a mistake, which is noted then. Undefined: it did. */
  async attempt<Result>(work: () => Result | Promise<Result>): Promise<Result | undefined> {
    try {
      return await work()
    } catch (error) {
      if (!isLllmError(error)) throw error
      this.note(error)
      return undefined
    }
  }
}
