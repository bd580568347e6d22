import { once } from 'node:events'
import { styleText } from 'node:util'
import { harmlessLines } from './display-text.ts'
import type { Output } from './shell.ts'

/** Writes a text, and waits while the reader is slow. An output that fails interrupts the command, which is heard elsewhere. */
export async function write(output: Output, text: string): Promise<void> {
  if (!output.write(text)) await once(output, 'drain').catch(() => undefined)
}

type Style = Parameters<typeof styleText>[0]

/** Colours a text on a terminal, and only there; NO_COLOR and FORCE_COLOR are heeded, as Node does. */
export function styled(output: Output, style: Style, text: string): string {
  return styleText(style, text, { stream: output as never, validateStream: true })
}

/** A value as JSON for people and for programs. A terminal would obey characters that JSON has as they are: it gets their escapes. */
export async function writeJson(output: Output, value: unknown): Promise<void> {
  const text = JSON.stringify(value, null, 2)
  await write(output, `${output.isTTY === true ? harmlessLines(text) : text}\n`)
}

export async function writeWarnings(stderr: Output, warnings: readonly string[]): Promise<void> {
  for (const warning of warnings) {
    await write(stderr, `${styled(stderr, 'yellow', 'warning')} ${harmlessLines(warning)}\n`)
  }
}
