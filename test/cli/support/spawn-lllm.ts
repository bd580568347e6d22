import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { childEnvironment, environmentOf, projectFolder, type ServiceSpec } from '../../e2e/support/service.ts'

/** Starts the real command in a process of its own, which is killed after the test. */
export function spawnLllm(
  args: readonly string[],
  { folder = projectFolder, ...spec }: ServiceSpec = {},
  /** Whether whoever reads the result goes away before it comes; a file that it goes to instead. */
  { closeStdout = false, stdout = 'pipe' as 'pipe' | number } = {},
) {
  const child = spawn(process.execPath, [join(projectFolder, 'src/cli/lllm.ts'), ...args], {
    cwd: folder,
    env: { ...childEnvironment(), ...environmentOf(spec) },
    stdio: ['ignore', stdout, 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  if (closeStdout) child.stdout?.destroy()
  const exited = once(child, 'close').then(([code, signal]) => ({ code, signal, ...output }))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await exited
  })
  return { exited, output, pid: child.pid ?? 0, kill: (signal: NodeJS.Signals) => child.kill(signal) }
}
