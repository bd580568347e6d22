import type { Command } from 'commander'
import { isLllmError, LllmError } from '../../domain/errors.ts'
import { collectTag } from '../run/run-options.ts'

/** Which sessions a command is about. */
export interface SessionOptions {
  readonly tactic?: string
  readonly state?: string
  readonly tag?: Readonly<Record<string, string>>
  readonly from?: string
  readonly to?: string
}

export function addSessionOptions(command: Command): Command {
  return command
    .option('--tactic <name>', 'only those of this tactic: its name, or package::name')
    .option('--state <state>', 'only those that are running, success, failure or cancelled')
    .option('--tag <key=value>', 'only those with this tag; give it up to 32 times', collectTag)
    .option('--from <time>', 'only those that started then or later: 2026-11-02 (UTC), or 2026-11-02T09:30:00Z')
    .option('--to <time>', 'only those that started before')
}

/** The options as the query that the HTTP service takes, which judges them. */
export function toQuery(
  { tactic, state, tag = {}, from, to }: SessionOptions,
  more: Readonly<Record<string, unknown>>,
) {
  const given = { tactic, state, started_after: from, started_before: to, ...more }
  return Object.fromEntries([
    ...Object.entries(given).filter(([, value]) => value !== undefined),
    ...Object.entries(tag).map(([key, value]) => [`tag.${key}`, value]),
  ])
}

const optionNames: Readonly<Record<string, string>> = {
  started_after: 'from',
  started_before: 'to',
  group_by: 'group-by',
}

/**
 * Judges options by what judges the query of the service, and names them as they are called here.
 *
 * @throws LllmError `invalid-parameter`
 */
export function judge<Result>(parseQuery: (query: unknown) => Result, query: unknown): Result {
  try {
    return parseQuery(query)
  } catch (error) {
    if (!isLllmError(error)) throw error
    const told = (error.data.issues ?? []).map(({ pointer, message }) => `${nameOption(pointer)} ${message}.`)
    throw new LllmError('invalid-parameter', told.join(' '))
  }
}

function nameOption(pointer: string): string {
  const [, , parameter = ''] = pointer.split('/')
  if (parameter.startsWith('tag.') || parameter === '') return '--tag'
  return `--${optionNames[parameter] ?? parameter}`
}
