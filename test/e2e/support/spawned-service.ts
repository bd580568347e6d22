import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import { createClient } from './client.ts'
import { childEnvironment, environmentOf, projectFolder, type ServiceSpec } from './service.ts'

type LogLine = Readonly<Record<string, unknown>>

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** Starts the real process, which may well end by itself. It is killed after the test. */
export function spawnProcess({ folder = projectFolder, ...spec }: ServiceSpec, args: readonly string[] = []) {
  const entry = join(projectFolder, 'src/main.ts')
  const child = spawn(process.execPath, [...(args.length > 0 ? args : [entry])], {
    cwd: folder,
    env: { ...childEnvironment(), ...environmentOf(spec) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const logLines: LogLine[] = []
  const output = { stdout: '', stderr: '' }
  const listening = Promise.withResolvers<string>()
  // Whoever only waits for the end does not care whether it ever listened.
  listening.promise.catch(() => {})

  createInterface({ input: child.stdout }).on('line', (line) => {
    output.stdout += `${line}\n`
    const logged = readLogLine(line)
    if (logged === undefined) return
    logLines.push(logged)
    if (logged['msg'] === 'listening') listening.resolve(String(logged['url']))
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text
  })

  const exited = once(child, 'close').then(([code, signal]): Exit => {
    listening.reject(new Error(`The process ended before it listened. ${output.stdout}${output.stderr}`))
    return { code, signal, ...output }
  })
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await exited
  })
  return {
    pid: child.pid,
    /** The address, once it listens. Rejects with all output when the process ends before. */
    listening: listening.promise,
    logLines,
    output,
    /** Resolves when the process has ended and all of its output has been read. */
    exited,
    /** Nobody reads what it prints from now on. */
    closeStdout: () => void child.stdout.destroy(),
    kill: (signal: NodeJS.Signals) => child.kill(signal),
  }
}

export type SpawnedService = Awaited<ReturnType<typeof spawnService>>

/** Starts the real process and waits until it listens. */
export async function spawnService(spec: ServiceSpec = {}, args: readonly string[] = []) {
  const { listening, ...spawned } = spawnProcess(spec, args)
  const url = await listening
  return { url, ...createClient(url), ...spawned }
}

function readLogLine(line: string): LogLine | undefined {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
