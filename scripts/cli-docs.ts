// Writes into docs/cli.md what commands say of themselves, and there and into README.md what their examples answer: node scripts/cli-docs.ts
import { readFileSync, writeFileSync } from 'node:fs'
import { PassThrough, Readable } from 'node:stream'
import type { Command } from 'commander'
import { createProgram, runCommandLine } from '../src/cli/command-line.ts'
import type { Environment } from '../src/settings.ts'

const page = new URL('../docs/cli.md', import.meta.url)
const readme = new URL('../README.md', import.meta.url)
const helpWidth = 100

/** The part of the page that is nothing but what commands say of themselves. */
export function renderHelp(): string {
  let written = ''
  const program = createProgram(() => async () => {}, {
    writeOut: (text) => {
      written += text
    },
    getOutHelpWidth: () => helpWidth,
  })
  const sections = [program, ...leavesOf(program)].map((command) => {
    written = ''
    command.outputHelp()
    return `### ${nameOf(command)}\n\n\`\`\`text\n${written.trim()}\n\`\`\`\n`
  })
  return sections.join('\n')
}

function leavesOf(command: Command): readonly Command[] {
  return command.commands.flatMap((child) => (child.commands.length === 0 ? [child] : [child, ...leavesOf(child)]))
}

function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`
}

const heading = '## Commands\n'
const example = /^```console\n\$ lllm (.*)\n[\s\S]*?^```$/gm

export interface Example {
  readonly line: string
  readonly answer: string
}

/** The examples of a page, with what they answer in it. */
export function readExamples(markdown: string): readonly Example[] {
  return [...markdown.matchAll(example)].map(([block, line = '']) => {
    return { line, answer: block.split('\n').slice(2, -1).join('\n') }
  })
}

/** Runs examples one after the other, in the folder of the project, with a database of their own. */
export async function runExamples(lines: readonly string[], env: Environment): Promise<readonly Example[]> {
  const folder = new URL('../', import.meta.url).pathname.replace(/\/$/, '')
  const examples: Example[] = []
  let sessionId = ''
  for (const line of lines) {
    const { text, output } = collect()
    const args = splitWords(line).map((word) => (word === 'SESSION_ID' ? sessionId : word))
    await runCommandLine(args, {
      env,
      folder,
      stdin: Readable.from([]),
      stdout: output,
      stderr: output,
      onInterrupt: () => () => {},
      onPrint: () => () => {},
    })
    const answer = text().trimEnd().replaceAll(`${folder}/`, '')
    sessionId = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(answer)?.[0] ?? sessionId
    examples.push({ line, answer })
  }
  return examples
}

function collect() {
  const output = new PassThrough()
  let text = ''
  output.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  return { output, text: () => text }
}

function splitWords(line: string): readonly string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
}

/** A page with the answers of its examples. */
async function renderAnswers(markdown: string, env: Environment): Promise<string> {
  const examples = await runExamples(
    readExamples(markdown).map(({ line }) => line),
    env,
  )
  const answers = examples.values()
  return markdown.replaceAll(example, (_, line: string) => {
    return `\`\`\`console\n$ lllm ${line}\n${answers.next().value?.answer ?? ''}\n\`\`\``
  })
}

/** The page of the commands with everything in it that can be made. */
export async function renderPage(markdown: string, env: Environment): Promise<string> {
  const withAnswers = await renderAnswers(markdown, env)
  return `${withAnswers.slice(0, withAnswers.indexOf(heading) + heading.length)}\n${renderHelp()}`
}

if (import.meta.main) {
  const { mkdtempSync, rmSync } = await import('node:fs')
  const { tmpdir } = await import('node:os')
  const { join } = await import('node:path')
  const folder = mkdtempSync(join(tmpdir(), 'lllm-cli-docs-'))
  try {
    const env = { LLLM_DATABASE: join(folder, 'lllm.db'), LLLM_HOME: folder }
    writeFileSync(page, await renderPage(readFileSync(page, 'utf8'), env))
    writeFileSync(readme, await renderAnswers(readFileSync(readme, 'utf8'), env))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
