import { isLllmError, type LllmError } from '../domain/errors.ts'

/** Does a piece of work that may find a mistake. Undefined: it did, and somebody has been told. */
export type Attempt = <Result>(work: () => Result) => Result | undefined

/** With nobody to tell, a mistake is thrown on. What is no LllmError always is. */
export function createAttempt(onMistake: ((mistake: LllmError) => void) | undefined): Attempt {
  return (work) => {
    if (onMistake === undefined) return work()
    try {
      return work()
    } catch (error) {
      if (!isLllmError(error)) throw error
      onMistake(error)
      return undefined
    }
  }
}
