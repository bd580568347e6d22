import { type InputOf, Tactic } from 'lllm'
import { z } from 'zod'

const Finding = z.object({
  severity: z.enum(['critical', 'major', 'minor', 'nit']),
  line: z.int().min(1).nullable().describe('The first line that the finding is about; null for the whole.'),
  title: z.string(),
  explanation: z.string().describe('What is wrong, and what follows from it.'),
  suggestion: z.string().describe('What to write instead.'),
})

const Findings = z.object({ findings: z.array(Finding).max(20) })

const Review = z.object({
  summary: z.string(),
  verdict: z.enum(['approve', 'comment', 'request_changes']),
  findings: z.array(Finding).max(20).describe('The gravest first.'),
})

/** Typed on both sides: the reviewer looks for problems, and the editor weighs them and decides. */
export default class CodeReviewTactic extends Tactic({
  name: 'code_review',
  description: 'Reviews a piece of code: a verdict, a summary, and findings with their lines.',
  agents: ['reviewer', 'editor'],
  input: z.object({
    code: z.string().min(1).max(100_000),
    language: z.string().min(1).max(40).default('text'),
    focus: z.string().max(1000).optional().describe('What to look at above all.'),
  }),
  output: Review,
  examples: [
    { language: 'python', code: 'def mean(values):\n    return sum(values) / len(values)\n' },
    { language: 'javascript', code: 'if (user = admin) grant(user)', focus: 'security' },
  ],
}) {
  async call({ code, language, focus }: InputOf<typeof CodeReviewTactic>) {
    const { reviewer, editor } = this.agents
    const listing = `Code (${language}), with line numbers:\n\n${numberLines(code)}`

    reviewer.open('review')
    reviewer.receive(focus === undefined ? listing : `${listing}\n\nLook above all at: ${focus}`)
    const { findings } = await reviewer.respondAs(Findings)

    editor.open('judge')
    editor.receive(`${listing}\n\nFindings of the reviewer:\n\n${JSON.stringify(findings, null, 2)}`)
    return editor.respondAs(Review)
  }
}

function numberLines(code: string): string {
  return code
    .trimEnd()
    .split('\n')
    .map((line, index) => `${index + 1}: ${line}`)
    .join('\n')
}
