import type { Clock } from '../domain/clock.ts'
import { LllmError } from '../domain/errors.ts'
import type { NewRun } from '../domain/run.ts'
import type { ContentKeeper } from '../engine/content-keeper.ts'
import type { PreparedCall } from '../engine/engine.ts'
import { keptRequest, toContent } from './run-content.ts'
import type { RunOptions } from './runs.ts'

/** What a run is known by, and where it belongs. */
export type RunPlace = Pick<NewRun, 'id' | 'tenant' | 'batchId' | 'batchIndex'>

export interface NewRunParts {
  readonly clock: Pick<Clock, 'now'>
  /** What a run may take that asks for nothing, and the most that it may ask for. */
  readonly runTimeoutMs: number
  /** What may be kept of the texts of runs. Left out: everything. */
  readonly content?: Pick<ContentKeeper, 'of' | 'value'> | undefined
}

/** A run of a call, as it is submitted now. */
export function toNewRun(
  { tactic, config, task }: PreparedCall,
  options: RunOptions,
  place: RunPlace,
  { clock, runTimeoutMs, content }: NewRunParts,
): NewRun {
  const nowMs = clock.now()
  const kept = content?.of(config) ?? 'full'
  const { tags = {} } = options
  const request: NewRun['request'] = {
    task,
    config: shortNameOf(tactic, config),
    timeoutMs: Math.min(options.timeoutMs ?? runTimeoutMs, runTimeoutMs),
    budgetUsd: options.budgetUsd ?? null,
    ...(options.keyBudget === undefined ? {} : { keyBudget: options.keyBudget }),
    limits: options.limits ?? {},
    metadata: options.metadata ?? {},
    webhook: options.webhook ?? null,
    ...(options.trace === undefined ? {} : { trace: options.trace }),
    ...toContent(kept),
  }
  // Of what is not kept in full anyway, nothing has to be said.
  const hasSecrets = kept === 'full' && content !== undefined && keptRequest(request, kept, content) !== undefined
  return {
    ...place,
    key: options.key ?? null,
    tactic: tactic.name,
    tacticId: tactic.id,
    // They go with the run wherever it is told of, and so have no secrets from the beginning.
    tags: content?.value(tags, kept) ?? tags,
    priority: options.priority ?? 0,
    createdAtMs: nowMs,
    runAtMs: options.runAtMs ?? nowMs,
    schedule: options.schedule ?? null,
    request: hasSecrets ? { ...request, hasSecrets } : request,
  }
}

/** By which the tactic finds its config again. */
function shortNameOf({ configs }: PreparedCall['tactic'], config: PreparedCall['config']): string {
  for (const [name, known] of configs) if (known === config) return name
  throw new LllmError(
    'unknown-config',
    `A run needs a config of the package: "${config.name}" is none of the tactic's.`,
  )
}
