import type { FastifyInstance } from 'fastify'
import { addBodyReader, type ReadJson } from './json-body.ts'

/** The media types of a body that has a JSON text on each line: the one that is common, and the one of NDJSON. */
export const jsonLinesMediaTypes = ['application/jsonl', 'application/x-ndjson'] as const

/** A body that has a task on each line. Lines that are empty are passed over. */
export class JsonLines {
  readonly tasks: unknown[] = []
  /** The line of each task, from 1. */
  readonly lines: number[] = []
}

/** Has an instance, and those below it, read bodies of JSON lines. Nobody reads more tasks than a batch may have, and one. */
export function readJsonLines(server: FastifyInstance, bodyLimitBytes: number, tasksMax: number): void {
  const read = (readJson: ReadJson, text: string) => readTasks(readJson, text, tasksMax)
  addBodyReader(server, [...jsonLinesMediaTypes], bodyLimitBytes, read)
}

function readTasks(readJson: ReadJson, text: string, tasksMax: number): JsonLines {
  const body = new JsonLines()
  let line = 0
  for (const written of text.split('\n')) {
    line += 1
    if (written.trim() === '') continue
    body.tasks.push(readJson(written, `Line ${line}`, linePointer(line)))
    body.lines.push(line)
    if (body.tasks.length > tasksMax) break
  }
  return body
}

/** Where something is in a body of JSON lines, which has no JSON Pointers: `/lines/7`, counted from 1. */
export function linePointer(line: number): string {
  return `/lines/${line}`
}
