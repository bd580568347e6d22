import type { EngineEvent } from '../domain/event.ts'
import type { JournalEntry } from '../domain/journal.ts'
import { type KeptRun, type RunRequest, withoutTask } from '../domain/run.ts'
import { leastOf, type StoreContent } from '../domain/store-content.ts'
import type { ContentKeeper } from '../engine/content-keeper.ts'
import type { Engine } from '../engine/engine.ts'

/** What may be kept of a run, now that it is worked on: its config may have become stricter since it was submitted, but not laxer. */
export function contentOfRun(
  { find, content }: Pick<Engine, 'find' | 'content'>,
  { tacticId, request }: Pick<KeptRun, 'tacticId' | 'request'>,
): StoreContent {
  const given = request.content ?? 'full'
  try {
    const config = find(tacticId).configs.get(request.config)
    return config === undefined ? given : leastOf(given, content.of(config))
  } catch {
    // There is no such tactic any more.
    return given
  }
}

/** A run all of whose texts may be kept does not say so. */
export function toContent(content: StoreContent): Pick<RunRequest, 'content'> {
  return content === 'full' ? {} : { content }
}

/** An event of a run as it is stored while the run is under way: readers follow it, so its texts are there until the end. */
export function keptEvent(event: EngineEvent, content: StoreContent, keeper: ContentKeeper): EngineEvent {
  switch (event.type) {
    case 'agent.delta':
    case 'tool.started':
    case 'tool.completed':
    case 'progress':
      return keeper.value(event, content)
    default:
      return event
  }
}

/** What is left of a request at the end of its run. Undefined: all of it. */
export function keptRequest(
  request: RunRequest,
  content: StoreContent,
  keeper: Pick<ContentKeeper, 'value'>,
): RunRequest | undefined {
  if (content === 'none') return withoutTask(request)
  const kept = { task: keeper.value(request.task, content), metadata: keeper.value(request.metadata, content) }
  const isSame = kept.task === request.task && kept.metadata === request.metadata
  if (content === 'full') return isSame ? undefined : { ...request, ...kept }
  return { ...request, ...kept, content }
}

/** A journal as it is kept for whoever resumes the run. */
export function keptJournal(
  entries: readonly JournalEntry[],
  content: StoreContent,
  keeper: ContentKeeper,
): readonly JournalEntry[] {
  return entries.flatMap((entry) => {
    const record: unknown = JSON.parse(entry.record)
    const kept = keeper.value(record, content)
    return kept === record ? [] : [{ ...entry, record: JSON.stringify(kept) }]
  })
}
