import { type SettingSpec, wholeNumber } from './setting-spec.ts'

const days = { expects: 'a whole number from 1 to 36500', schema: wholeNumber(1, 36_500) }

/** The settings of how long what is kept. */
export const retentionSettingSpecs = {
  keepSessionsDays: {
    variables: ['LLLM_KEEP_SESSIONS_DAYS'],
    description:
      'For how many days sessions and runs are kept, with their costs: sessions from their start, runs from their end. Left out: for ever.',
    ...days,
  },
  keepPayloadsDays: {
    variables: ['LLLM_KEEP_PAYLOADS_DAYS'],
    description:
      'For how many days the texts of sessions and runs are kept: tasks, results, messages. What they cost stays. Left out: as long as they are.',
    ...days,
  },
  keepEventsDays: {
    variables: ['LLLM_KEEP_EVENTS_DAYS'],
    description:
      'For how many days the events of runs are kept that have ended. Left out: as long as the texts of the run.',
    ...days,
  },
} as const satisfies Readonly<Record<string, SettingSpec>>
