/** One instruction of a Dockerfile, its continued lines joined. */
export interface Instruction {
  readonly name: string
  readonly text: string
}

/** A stage: what stands between one FROM and the next. */
export interface Stage {
  /** What later stages call it; the last one has no name. */
  readonly name: string
  readonly base: string
  readonly instructions: readonly Instruction[]
}

/** Reads the part of the Dockerfile syntax that ours uses. */
export function readDockerfile(text: string): readonly Stage[] {
  const stages: { name: string; base: string; instructions: Instruction[] }[] = []
  for (const line of text.replaceAll(/\\\r?\n\s*/g, '').split('\n')) {
    const [, name = '', rest = ''] = /^([A-Z]+)\s+(.+)$/.exec(line.trim()) ?? []
    const [, base = '', stageName = ''] = /^(\S+)(?:\s+AS\s+(\S+))?$/.exec(rest) ?? []
    if (name === 'FROM') stages.push({ name: stageName, base, instructions: [] })
    else if (name !== '') stages.at(-1)?.instructions.push({ name, text: rest })
  }
  return stages
}

export interface Copy {
  /** The stage that it copies from; undefined: the build context. */
  readonly from: string | undefined
  readonly sources: readonly string[]
  readonly target: string
}

export function readCopy(text: string): Copy {
  const words = text.split(/\s+/)
  const from = words[0]?.startsWith('--from=') ? words.shift()?.slice('--from='.length) : undefined
  return { from, sources: words.slice(0, -1), target: words.at(-1) ?? '.' }
}

/** The command of a CMD or a HEALTHCHECK in its exec form, a JSON array. */
export function readCommand(text: string): readonly string[] {
  return JSON.parse(text.slice(text.indexOf('['))) as string[]
}

/** The variables of an ENV. */
export function readVariables(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries([...text.matchAll(/(\w+)=(\S+)/g)].map(([, name, value]) => [name, value]))
}

/** The last instruction of a name. */
export function findInstruction({ instructions }: Stage, name: string): string {
  const found = instructions.findLast((instruction) => instruction.name === name)
  if (found === undefined) throw new Error(`The Dockerfile has no ${name}.`)
  return found.text
}
