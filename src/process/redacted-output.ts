import type { LogOutput } from './log-output.ts'

/** What takes secrets out of a line. */
export interface LineRedactor {
  all(text: string): string
  allIn(value: unknown): unknown
  isClean(json: string): boolean
}

/** A log without secrets: they are taken out of each line, whatever wrote it. What is no JSON is taken as text. */
export function redactedOutput(output: LogOutput, redactor: LineRedactor): LogOutput {
  return {
    write: (line) => output.write(redactLine(line, redactor)),
    flush: () => output.flush(),
  }
}

function redactLine(line: string, redactor: LineRedactor): string {
  if (redactor.isClean(line)) return line
  let entry: unknown
  try {
    entry = JSON.parse(line)
  } catch {
    return redactor.all(line)
  }
  const redacted = redactor.allIn(entry)
  return redacted === entry ? line : `${JSON.stringify(redacted)}\n`
}
