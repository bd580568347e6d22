import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import type { Shell } from '../shell.ts'

/** A service as a process of its own. */
export interface ServiceProcess {
  /** Resolves when it has ended, by itself or not. */
  readonly ended: Promise<void>
  /** Lets it end in good order, and kills it when it takes too long. */
  stop(): Promise<void>
  kill(): void
}

/** Calls under way in a service that is started anew are not waited for as long as in one that is stopped. */
const graceMsDefault = '1000'
/** Longer than any grace that is set for work at one's desk. */
const stopMsMax = 15_000

/** Starts a service whose words go where those of this command go. */
export function startServiceProcess({ env, folder, stdout, stderr }: Shell): ServiceProcess {
  const entry = new URL(import.meta.url.endsWith('.ts') ? './serve-child.ts' : './serve-child.js', import.meta.url)
  const child = spawn(execPath, [fileURLToPath(entry)], {
    cwd: folder,
    env: { ...env, LLLM_GRACE_MS: env['LLLM_GRACE_MS'] || graceMsDefault },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
  })
  child.stdout?.pipe(stdout, { end: false })
  child.stderr?.pipe(stderr, { end: false })
  const ended = untilEnded(child)
  return {
    ended,
    async stop() {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), stopMsMax)
      await ended
      clearTimeout(timer)
    },
    kill: () => void child.kill('SIGKILL'),
  }
}

/** One that cannot be started ends with an error, and has no other end. */
async function untilEnded(child: ChildProcess): Promise<void> {
  await once(child, 'close').catch(() => undefined)
}
