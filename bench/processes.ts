import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'

export interface Running {
  readonly url: string
  readonly process: ChildProcess
}

/** Ticks of the kernel's clock in /proc: 100 a second on every Linux of today. */
const microsecondsPerTick = 10_000

/** Whether processes can be bound to cores: the server on one, the load and the provider on another. */
const canPin = process.platform === 'linux' && availableParallelism() >= 2

const children = new Set<ChildProcess>()

function start(args: readonly string[], env: Readonly<Record<string, string>>, core: number | null): ChildProcess {
  const command = canPin && core !== null ? ['taskset', '-c', String(core), process.execPath] : [process.execPath]
  const [program = '', ...before] = command
  const full = { PATH: process.env['PATH'] ?? '', ...env }
  const child = spawn(program, [...before, ...args], { env: full, stdio: ['ignore', 'pipe', 'inherit'] })
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

/** Ends what a failed measurement has left running. */
export function stopAll() {
  for (const child of children) child.kill('SIGKILL')
}

/** Starts a server and waits until it prints a line of JSON with its `url`. */
export async function startServer(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  core: number | null,
): Promise<Running> {
  const child = start(args, env, core)
  if (child.stdout === null) throw new Error('no stdout')
  const lines = createInterface({ input: child.stdout })
  const url = await new Promise<string>((resolve, reject) => {
    lines.on('line', (line) => {
      const told = JSON.parse(line) as { url?: string }
      if (told.url !== undefined) resolve(told.url)
    })
    child.once('exit', (code) => reject(new Error(`${args.join(' ')} ended with ${code}`)))
  })
  return { url, process: child }
}

export async function stop({ process: child }: Running) {
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await ended
}

/** Runs a program to its end and reads the line of JSON that it prints. */
export async function runToEnd<Result>(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  core: number,
): Promise<Result> {
  const child = start(args, env, core)
  let text = ''
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const code = await new Promise((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}`)
  return JSON.parse(text) as Result
}

/** CPU time of a process and all of its threads so far, in µs. */
export function cpuMicroseconds({ process: child }: Running): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * microsecondsPerTick
}

/** Memory of a process that is in RAM, in MB. */
export function residentMb({ process: child }: Running): number {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))
  return Number(line?.[1] ?? 0) / 1024
}
