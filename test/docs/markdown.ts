import { readFileSync } from 'node:fs'

export const root = new URL('../../', import.meta.url)

export function readText(path: string): string {
  return readFileSync(new URL(path, root), 'utf8')
}

/** A fenced block of a page. */
export interface Block {
  readonly language: string
  readonly text: string
  /** The first line of its content, from 1. */
  readonly line: number
  /** What the comment above it names: `examples/a.ts` or `examples/a.ts#region`. */
  readonly source: string | undefined
}

/** The fenced blocks of a page, in order. A fence is closed by one of the same length or longer. */
export function readBlocks(markdown: string): readonly Block[] {
  const lines = markdown.split('\n')
  const blocks: Block[] = []
  for (let index = 0; index < lines.length; index++) {
    const [, fence, language = ''] = /^(`{3,})(\w*)$/.exec(lines[index] ?? '') ?? []
    if (fence === undefined) continue
    const end = lines.findIndex((line, at) => at > index && /^`+$/.test(line) && line.length >= fence.length)
    if (end === -1) throw new Error(`The fence of line ${index + 1} is not closed.`)
    const [, source] = /^<!-- from (\S+) -->$/.exec(lines[index - 1] ?? '') ?? []
    blocks.push({ language, text: lines.slice(index + 1, end).join('\n'), line: index + 2, source })
    index = end
  }
  return blocks
}

/** The text of a file, or of one of its regions without its common indentation. */
export function readSource(source: string): string {
  const [path = '', region] = source.split('#')
  const text = readText(path).trimEnd()
  if (region === undefined) return text
  const lines = text.split('\n')
  const start = lines.findIndex((line) => line.trim().endsWith(`#region ${region}`))
  const end = lines.findIndex((line, at) => at > start && line.trim().endsWith('#endregion'))
  if (start === -1 || end === -1) throw new Error(`${path} has no region ${region}.`)
  const inner = lines.slice(start + 1, end)
  const depth = Math.min(...inner.filter((line) => line !== '').map((line) => line.search(/\S/)))
  return inner.map((line) => line.slice(depth)).join('\n')
}

/** Targets of links, without those inside of code. */
export function readLinks(markdown: string): readonly string[] {
  const prose = markdown.replaceAll(/^(`{3,})[\s\S]*?^\1`*$/gm, '').replaceAll(/`[^`\n]*`/g, '')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
}

/** What headings are linked by, as GitHub makes it from their text. */
export function readAnchors(markdown: string): readonly string[] {
  const prose = markdown.replaceAll(/^(`{3,})[\s\S]*?^\1`*$/gm, '')
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
