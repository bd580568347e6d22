import { z } from 'zod'
import { isLllmError, LllmError } from '../domain/errors.ts'
import { type AnyPrompt, definePrompt } from '../domain/prompt.ts'
import { tagParser } from '../domain/tag-parser.ts'
import { tellIssue } from '../domain/tell-issue.ts'
import { readYaml } from './read-yaml.ts'

const names = z.array(z.string()).max(100)
const wanted = z.strictObject({ required: names.exactOptional(), optional: names.exactOptional() })

const frontMatter = z.strictObject({
  description: z.string().exactOptional(),
  parser: z
    .strictObject({ tags: wanted.exactOptional(), fences: wanted.exactOptional(), signals: names.exactOptional() })
    .exactOptional(),
  handlers: z
    .strictObject({
      exception: z.string().exactOptional(),
      interrupt: z.string().exactOptional(),
      final_interrupt: z.string().exactOptional(),
    })
    .default({}),
  mcp_servers: names.default([]),
})

/** At most this many mistakes of one file are told at once. */
const issuesMax = 10

/** Front matter is YAML, whose parser is not linear: judged before it is parsed. */
const frontMatterBytesMax = 64 * 1024

/**
 * Reads a prompt from the text of an `.md` file: YAML front matter between two lines `---`, if there is any, and below it
 * the template, without the empty lines around it.
 *
 * @throws LllmError `invalid-prompt`
 */
export function readPrompt(text: string, { file, path }: { readonly file: string; readonly path: string }): AnyPrompt {
  const { head, body } = splitFrontMatter(text, file)
  const parsed = frontMatter.safeParse(readYaml(head, { file, code: 'invalid-prompt', linesBefore: 1 }))
  if (!parsed.success) {
    const known = Object.keys(frontMatter.shape)
    const told = parsed.error.issues.slice(0, issuesMax).map((issue) => tellIssue(issue, known))
    throw mistake(file, told.join(' '))
  }
  const { handlers, mcp_servers, parser, ...rest } = parsed.data
  const { final_interrupt, ...otherHandlers } = handlers
  try {
    return definePrompt({
      ...rest,
      path,
      template: body,
      mcpServers: mcp_servers,
      handlers: { ...otherHandlers, ...(final_interrupt === undefined ? {} : { finalInterrupt: final_interrupt }) },
      ...(parser === undefined ? {} : { parser: tagParser(parser) }),
    })
  } catch (error) {
    throw isLllmError(error) ? mistake(file, error.message) : error
  }
}

function splitFrontMatter(text: string, file: string): { readonly head: string; readonly body: string } {
  if (!text.startsWith('---\n')) return { head: '', body: text.replace(/\n+$/, '') }
  // The search begins at the line break of the first `---`, so that empty front matter is found.
  const end = `${text}\n`.indexOf('\n---\n', 3)
  if (end === -1) throw mistake(`${file}:1:1`, 'The front matter that begins here is not closed by a line ---.', file)
  const head = text.slice(4, Math.max(4, end))
  if (head.length > frontMatterBytesMax) throw mistake(file, `The front matter is longer than ${frontMatterBytesMax}.`)
  return {
    head,
    body: text
      .slice(end + 5)
      .replace(/^\n+/, '')
      .replace(/\n+$/, ''),
  }
}

function mistake(place: string, message: string, file = place) {
  return new LllmError('invalid-prompt', `${place}: ${message}`, { file })
}
