// The command line and a large project: 300 tactics in 20 packages, beside what Node alone takes.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { startServer, stop } from './processes.ts'

const packages = 20
const tacticsEach = 15
const root = join(import.meta.dirname, '..')
const command = join(root, 'dist/src/cli/lllm.js')

/** Tells the CPU time of its process, in µs, as the last line of the standard error. */
const tellCpu = `data:text/javascript,process.on('exit',()=>{const{user,system}=process.cpuUsage();process.stderr.write('\\n'+(user+system))})`

export async function measureCommands(folder: string, rounds: number) {
  execFileSync('npm', ['run', 'build', '--silent'], { cwd: root, stdio: 'inherit' })
  const project = join(folder, 'large')
  writeProject(project)
  // The first run of each fills the compile cache, as the first start after an update does.
  const times = (measure: () => number) => Array.from({ length: rounds + 1 }, measure).slice(1)
  const node = middle(times(() => run(['--eval', '0'], project).cpuMs))
  const help = middle(times(() => run([command, '--help'], project).cpuMs))
  const list = middle(times(() => run([command, 'list'], project).wallMs))
  const starts: number[] = []
  for (let round = 0; round <= rounds; round++) starts.push(await startProject(project))
  process.stdout.write(
    `\nlllm --help ${help.toFixed(0)} ms of CPU (node alone ${node.toFixed(0)}); with ${packages * tacticsEach} tactics in ${packages} packages: ` +
      `lllm list ${list.toFixed(0)} ms, start until it listens ${middle(starts.slice(1)).toFixed(0)} ms\n`,
  )
}

function run(args: readonly string[], cwd: string) {
  const startedAtMs = performance.now()
  const env = { PATH: process.env['PATH'] ?? '', LLLM_HOME: '/nonexistent', LLLM_DATABASE: ':memory:' }
  const { status, stderr } = spawnSync(process.execPath, ['--import', tellCpu, ...args], { cwd, env, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`)
  return { wallMs: performance.now() - startedAtMs, cpuMs: Number(stderr.split('\n').at(-1)) / 1_000 }
}

async function startProject(project: string): Promise<number> {
  const startedAtMs = performance.now()
  const env = { LLLM_PORT: '0', LLLM_CONFIG: project, LLLM_HOME: '/nonexistent', LLLM_DATABASE: ':memory:' }
  const server = await startServer([command, 'serve'], env, null)
  const wallMs = performance.now() - startedAtMs
  await stop(server)
  return wallMs
}

function middle(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[values.length >> 1] ?? 0
}

function writeProject(project: string) {
  const write = (path: string, text: string) => {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  for (let number = 0; number < packages; number++) {
    const folder = number === 0 ? project : join(project, 'lllm_packages', `p${number}`)
    write(join(folder, 'lllm.toml'), `[package]\nname = "p${number}"\nversion = "1.0.0"\n`)
    for (let index = 0; index < tacticsEach; index++) {
      const name = `t${number}_${index}`
      write(join(folder, `tactics/${name}.ts`), tacticSource(name))
      write(join(folder, `configs/${name}.yaml`), configSource(name))
      write(join(folder, `prompts/${name}/system.md`), '---\ndescription: Edits.\n---\nYou edit.\n')
      write(join(folder, `prompts/${name}/edit.md`), 'Edit this:\n\n{draft}\n')
    }
  }
}

const tacticSource = (name: string) => `import { type InputOf, Tactic } from 'lllm'
import { z } from 'zod'

const input = z.strictObject({ topic: z.string().min(1), words: z.int().default(100) })
const output = z.object({ text: z.string(), length: z.int() })

export default class Written extends Tactic({ name: '${name}', agents: ['writer', 'editor'], input, output }) {
  async call({ topic, words }: InputOf<typeof Written>) {
    const { writer, editor } = this.agents
    const draft = await writer.open('draft').receive(\`\${words} words about \${topic}\`).respond()
    editor.open('edit').receivePrompt('${name}/edit', { draft: draft.content })
    const { content: text } = await editor.respond()
    return { text, length: text.length }
  }
}
`

const configSource = (name: string) => `global: { model_name: gpt-4o, model_args: { temperature: 0.2 } }
agent_configs:
  - { name: writer, system_prompt: You write. }
  - { name: editor, system_prompt_path: ${name}/system }
`
