import { cutTo, displayWidth } from '../display-text.ts'
import type { Output } from '../shell.ts'
import { styled, write } from '../write.ts'

/** A piece of a line, with its colour on a terminal. Its text is harmless. */
export interface Span {
  readonly text: string
  readonly style?: 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan'
}

/** A line of a tree, and what is below it. */
export interface TreeLine {
  readonly head: readonly Span[]
  /** What may be cut to the width of the terminal. Harmless. */
  readonly detail?: string
  readonly children: readonly TreeLine[]
}

/** The width of what is not written to a terminal. */
export const widthDefault = 120

/** Writes a tree, a line each, none longer than the terminal is wide. */
export async function writeTree(output: Output, tree: TreeLine): Promise<void> {
  await writeLines(output, tree, { own: '', below: '' })
}

interface Indent {
  readonly own: string
  readonly below: string
}

async function writeLines(output: Output, { head, detail = '', children }: TreeLine, indent: Indent): Promise<void> {
  await write(output, `${styled(output, 'dim', indent.own)}${cutLine(output, head, detail, indent.own)}\n`)
  for (const [index, child] of children.entries()) {
    const isLast = index === children.length - 1
    await writeLines(output, child, {
      own: `${indent.below}${isLast ? '└─ ' : '├─ '}`,
      below: `${indent.below}${isLast ? '   ' : '│  '}`,
    })
  }
}

function cutLine(output: Output, head: readonly Span[], detail: string, indent: string): string {
  let left = (output.columns ?? widthDefault) - displayWidth(indent)
  const told: string[] = []
  for (const { text, style } of head) {
    const cut = cutTo(text, left)
    if (cut === '') break
    told.push(style === undefined ? cut : styled(output, style, cut))
    left -= displayWidth(cut) + 1
  }
  const rest = detail === '' ? '' : cutTo(detail, left - 1)
  return rest === '' ? told.join(' ') : `${told.join(' ')}  ${rest}`
}
