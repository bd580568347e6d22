import { type Command, InvalidArgumentError } from 'commander'
import { budgetUsdMax } from '../../domain/limits.ts'

/** What calls take, one by one and in batches. */
export interface CallFlags {
  readonly config?: string
  readonly budget?: number
  readonly tag?: Readonly<Record<string, string>>
}

export function addCallOptions(command: Command, what: string): Command {
  return command
    .option('--config <name>', "one of the tactic's configs; left out, its default")
    .option('--budget <usd>', `USD that ${what} may cost, more than 0 and at most ${budgetUsdMax}`, parseBudget)
    .option(
      '--tag <key=value>',
      'a label by which sessions and costs are found later; up to 32: a key of at most 64 letters, digits and _ . -, a value of at most 256 characters',
      collectTag,
    )
}

/** Reads an option that is a whole number. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    if (/^\d{1,12}$/.test(text) && Number(text) >= min && Number(text) <= max) return Number(text)
    throw new InvalidArgumentError(`It takes a whole number from ${min} to ${max}.`)
  }
}

function parseBudget(text: string): number {
  const usd = /^\d{0,12}(?:\.\d{1,12})?$/.test(text) ? Number(text) : 0
  if (usd > 0 && usd <= budgetUsdMax) return usd
  throw new InvalidArgumentError(`A budget is a number of USD, more than 0 and at most ${budgetUsdMax}.`)
}

/** A key is never taken for something else of the object, such as its prototype: tags are judged before they are used. */
export function collectTag(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('A tag is written as key=value.')
  const key = text.slice(0, at)
  if (Object.hasOwn(before, key)) throw new InvalidArgumentError(`The tag ${key} is given twice.`)
  return Object.fromEntries([...Object.entries(before), [key, text.slice(at + 1)]])
}
