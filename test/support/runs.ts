import type { NewRun } from '../../src/domain/run.ts'

export interface RunSketch extends Partial<Omit<NewRun, 'request'>> {
  readonly request?: Partial<NewRun['request']>
}

/** A run that was asked for, from what matters to a test. */
export function buildRun({ id, request, ...given }: RunSketch & Pick<NewRun, 'id'>): NewRun {
  const tactic = given.tactic ?? 'essay'
  return {
    id,
    tenant: 'default',
    key: null,
    tactic,
    tacticId: `demo::${tactic}`,
    tags: {},
    priority: 0,
    createdAtMs: 1_000,
    runAtMs: 1_000,
    batchId: null,
    batchIndex: null,
    schedule: null,
    ...given,
    request: {
      task: 'bees',
      config: 'default',
      timeoutMs: 60_000,
      budgetUsd: null,
      limits: {},
      metadata: {},
      webhook: null,
      ...request,
    },
  }
}
