import type { AgentPlan } from '../../domain/agent.ts'
import { operator } from '../../domain/caller.ts'
import type { JsonSchema } from '../../domain/json.ts'
import type { BoundConfig, BoundTactic } from '../../engine/engine.ts'
import { createFindTactic } from '../../engine/find-tactic.ts'
import { toTacticRecord } from '../../http/tactic-record.ts'
import { fakeJson } from '../../invokers/fake-json.ts'
import { harmless, harmlessLines } from '../display-text.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import type { Output, Shell } from '../shell.ts'
import { styled, write, writeJson } from '../write.ts'
import { withHouse } from './open-house.ts'
import type { ShowTacticOptions } from './show-command.ts'
import { writeTable } from './table.ts'

export async function showTactic(shell: Shell, name: string, { json }: ShowTacticOptions): Promise<ExitCode> {
  const { stdout } = shell
  return withHouse(shell, async ({ tactics, aliases }, { port }) => {
    const tactic = createFindTactic(tactics, aliases)(name)
    if (json) await writeJson(stdout, toTacticRecord(tactic, operator))
    else await writeTactic(stdout, tactic, `http://localhost:${port || 8080}`)
    return exitCodes.done
  })
}

async function writeTactic(stdout: Output, bound: BoundTactic, url: string): Promise<void> {
  const { address, package: home, file, shadowedBy, configs, inputSchema, outputSchema } = bound
  const { description, examples } = bound.tactic.spec
  const shadow = shadowedBy === undefined ? '' : `The bare name "${bound.name}" is that of ${shadowedBy}.\n`
  const told = description === undefined ? '' : `${harmlessLines(description)}\n`
  await write(stdout, `${styled(stdout, 'bold', address)}  ${home.name} ${home.version}\n${told}${shadow}${file}\n`)

  const agents = [...configs].flatMap(([config, { agents: plans }]) =>
    [...plans.values()].map((plan) => toAgentRow(config, plan)),
  )
  if (agents.length > 0) await writeSection(stdout, 'Agents', () => writeTable(stdout, agentColumns, agents))
  const subTactics = [...configs].flatMap(([config, { subTactics: subs }]) =>
    [...subs].map(([key, sub]) => [config, key, ...whichTactic(sub)]),
  )
  if (subTactics.length > 0) {
    await writeSection(stdout, 'Sub-tactics', () => writeTable(stdout, subTacticColumns, subTactics))
  }
  await writeSection(stdout, 'Input', () => writeJsonLines(stdout, inputSchema))
  await writeSection(stdout, 'Output', () => writeJsonLines(stdout, outputSchema))
  if (examples.length > 0) {
    await writeSection(stdout, 'Examples', async () => {
      for (const example of examples) await write(stdout, `${harmless(JSON.stringify(example) ?? '')}\n`)
    })
  }
  const task = examples.length > 0 ? examples[0] : fakeTask(inputSchema)
  await writeSection(stdout, 'Call', () => write(stdout, `${toCurl(`${url}/tactics/${address}`, { task })}\n`))
}

const agentColumns = [
  { title: 'CONFIG' },
  { title: 'AGENT' },
  { title: 'MODEL', canShrink: true },
  { title: 'INVOKER', canGo: true },
  { title: 'PROMPT', canShrink: true },
] as const

function toAgentRow(config: string, { name, model, fallbacks, invoker, systemPrompt }: AgentPlan): readonly string[] {
  const models = [model, ...fallbacks.map((fallback) => fallback.model)].join(', then ')
  return [config, name, models, invoker.name, systemPrompt.path ?? 'in the config']
}

const subTacticColumns = [
  { title: 'CONFIG' },
  { title: 'SUB-TACTIC' },
  { title: 'TACTIC' },
  { title: 'WITH CONFIG' },
] as const

/** A remote tactic is known, and has its configs, at its own service. */
function whichTactic({
  tactic,
  config,
}: {
  readonly tactic: BoundTactic
  readonly config: BoundConfig
}): readonly [tactic: string, config: string] {
  const { remote } = tactic.tactic.spec
  if (remote === undefined) return [tactic.id, config.name]
  return [`${remote.tactic} at ${remote.url}`, remote.config ?? 'its default']
}

async function writeSection(stdout: Output, title: string, writeBody: () => Promise<void>): Promise<void> {
  await write(stdout, `\n${styled(stdout, ['bold', 'underline'], title)}\n`)
  await writeBody()
}

async function writeJsonLines(stdout: Output, value: unknown): Promise<void> {
  await write(stdout, `${harmlessLines(JSON.stringify(value, null, 2))}\n`)
}

/** A task that fits where its author has given no example. */
function fakeTask(schema: JsonSchema): unknown {
  return schema['type'] === 'string' && Object.keys(schema).length === 1 ? 'Your task' : JSON.parse(fakeJson(schema, 1))
}

/** One line that a shell understands, whatever is in it. */
function toCurl(url: string, body: unknown): string {
  // What is harmless in JSON is its escape, which means the same to whoever reads it.
  const data = harmless(JSON.stringify(body)).replaceAll("'", `'\\''`)
  return `curl ${url} -H 'content-type: application/json' -d '${data}'`
}
