import { once } from 'node:events'
import { styleText } from 'node:util'
import type { Output } from './shell.ts'

/** Writes a text, and waits while the reader is slow. */
export async function write(output: Output, text: string): Promise<void> {
  if (!output.write(text)) await once(output, 'drain')
}

type Style = Parameters<typeof styleText>[0]

/** Colours a text on a terminal, and only there; NO_COLOR and FORCE_COLOR are heeded, as Node does. */
export function styled(output: Output, style: Style, text: string): string {
  return styleText(style, text, { stream: output as never, validateStream: true })
}

/** A value as JSON for people and for programs. */
export async function writeJson(output: Output, value: unknown): Promise<void> {
  await write(output, `${JSON.stringify(value, null, 2)}\n`)
}
