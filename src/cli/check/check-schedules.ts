import { isLllmError, LllmError } from '../../domain/errors.ts'
import type { PackageSet } from '../../domain/package.ts'
import { createBinder } from '../../engine/bind.ts'
import { createEngine } from '../../engine/create-engine.ts'
import type { BindParts } from '../../engine/plan-agent.ts'
import { createPriceBook } from '../../invokers/pricing.ts'
import { aliasesOf } from '../../load-house.ts'
import { webhookRules } from '../../outbound-rules.ts'
import { readSchedules } from '../../read-schedules.ts'
import type { Settings } from '../../settings.ts'
import { systemWorld } from '../../system-world.ts'
import { judgeWebhookUrl } from '../../webhooks/judge-url.ts'
import type { Findings } from './check-findings.ts'

/** Judges the file of schedules by the tactics that it names. Those have to be sound: what is wrong with them would be told twice. */
export async function judgeSchedules(
  settings: Settings,
  { packages, parts }: { readonly packages: PackageSet; readonly parts: BindParts },
  findings: Findings,
): Promise<void> {
  const { schedulesFile } = settings
  const rules = webhookRules(settings)
  if (schedulesFile === undefined || findings.mistakes.length > 0) return
  const tactics = createBinder(packages, parts).bindAll()
  const engineParts = { world: systemWorld, prices: createPriceBook(), toolSource: parts.toolSource }
  const keeper = { waitingCount: 0, keep: async () => {} }
  const engine = createEngine(tactics, engineParts, keeper, aliasesOf(packages))
  const judgeWebhook = (url: string) => judgeWebhookUrl(url, rules)
  try {
    await readSchedules(schedulesFile, settings, { engine, judgeWebhook })
  } catch (error) {
    if (!isLllmError(error)) throw error
    for (const line of error.message.split('\n')) findings.note(new LllmError(error.code, line, error.data))
  }
}
