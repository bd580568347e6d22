import { assemble } from '../../assemble.ts'
import { isLllmError, LllmError } from '../../domain/errors.ts'
import { untilAborted } from '../../domain/until-aborted.ts'
import type { BoundConfig } from '../../engine/engine.ts'
import type { KeeperEvent } from '../../engine/session-keeper.ts'
import { tags as tagsSchema } from '../../http/fields.ts'
import { parse } from '../../http/parse.ts'
import { canBeSimulated } from '../../http/simulated.ts'
import type { Runtime } from '../../runtime.ts'
import { readSettings, type Settings } from '../../settings.ts'
import { simulatedNotice } from '../../simulated-notice.ts'
import { systemWorld } from '../../system-world.ts'
import type { Shell } from '../shell.ts'
import { writeWarnings } from '../write.ts'
import type { Screen } from './live-view-screen.ts'

/** A runtime in this process, with what it was made from. */
export interface CallRuntime {
  readonly runtime: Runtime
  readonly settings: Settings
}

/**
 * Loads the packages of the folder and opens the store of the settings, as the service does.
 *
 * @throws LllmError for a mistake in them; the reason of the signal once that aborts.
 */
export async function openRuntime(
  { env, folder, stderr }: Shell,
  screen: Screen,
  signal: AbortSignal,
): Promise<CallRuntime> {
  // Nobody comes to read the figures of a command.
  const settings: Settings = { ...readSettings(env), metrics: 'off' }
  const opening = assemble(settings, {
    folder,
    world: systemWorld,
    onKeeperEvent: (event) => void screen.say(tellKeeperEvent(event)),
  })
  try {
    const runtime = await untilAborted(() => opening, signal)
    await writeWarnings(stderr, runtime.warnings)
    return { runtime, settings }
  } catch (error) {
    // Whoever has given up does not wait; what was opened is closed all the same.
    if (signal.aborted) opening.then((late) => late.close()).catch(() => undefined)
    throw error
  }
}

function tellKeeperEvent({ type, sessionId }: KeeperEvent): string {
  switch (type) {
    case 'session.unsaved':
      return `lllm: The session ${sessionId} could not be stored.`
    case 'session.saved-late':
      return `lllm: The session ${sessionId} is stored now.`
    case 'session.lost':
      return `lllm: The session ${sessionId} is lost: the store does not take it.`
  }
}

export async function warnIfSimulated(config: BoundConfig, screen: Screen): Promise<void> {
  if (!canBeSimulated(config)) return
  await screen.say(`lllm: ${simulatedNotice}`)
}

/** @throws LllmError `invalid-parameter` */
export function judgeTags(given: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  try {
    return parse(tagsSchema, given, 'query')
  } catch (error) {
    if (!isLllmError(error)) throw error
    const told = (error.data.issues ?? []).map(({ pointer, message }) => {
      return `${pointer.slice('/query/'.length) || 'they'} ${message}`
    })
    throw new LllmError('invalid-parameter', `--tag: ${told.join('; ')}.`)
  }
}
