import { Webhook } from 'standardwebhooks'

//#region verify
interface RunEnded {
  readonly type: 'run.succeeded' | 'run.failed' | 'run.cancelled'
  readonly timestamp: string
  readonly data: {
    readonly id: string
    readonly tactic: string
    readonly result?: unknown
    readonly cost_usd: number | null
  }
}

/** The body has to be the very text that came: parsed and written again it may be another one. Throws when it is not ours, or is old. */
export function readWebhook(secret: string, headers: Readonly<Record<string, string>>, body: string): RunEnded {
  return new Webhook(secret).verify(body, headers) as RunEnded
}
//#endregion
