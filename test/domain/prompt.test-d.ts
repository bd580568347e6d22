// Checked by `tsc`, never run: what a prompt's arguments and reply are to the compiler.
import { z } from 'zod'
import { definePrompt, type Parser, type Prompt } from '../../src/domain/prompt.ts'
import { type TagBlock, tagParser } from '../../src/domain/tag-parser.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_: Same<A, B>) => {}
type ParsedOf<P> = P extends Prompt<never, infer Parsed> ? Parsed : never

const essay = definePrompt({ template: 'Write about {topic}.' })
essay.render({ topic: 'bees' })
// @ts-expect-error a misspelt variable
essay.render({ topci: 'bees' })
same<ParsedOf<typeof essay>, string>(true)

const typed = definePrompt({ template: '{code}', output: z.object({ verdict: z.enum(['good', 'bad']) }) })
same<ParsedOf<typeof typed>, { verdict: 'good' | 'bad' }>(true)

const tagged = definePrompt({
  template: '{code}',
  parser: tagParser({
    tags: { required: ['summary'], optional: ['note'] },
    fences: { required: ['json'] },
    signals: ['STOP'],
  }),
})
type Tagged = ParsedOf<typeof tagged>
same<Tagged['text'], string>(true)
same<Tagged['tags']['summary'], readonly [TagBlock, ...TagBlock[]]>(true)
same<Tagged['tags']['note'], readonly TagBlock[]>(true)
same<Tagged['fences']['json'][0], string>(true)
same<Tagged['signals'], { readonly STOP: boolean }>(true)
// @ts-expect-error a tag that is not in the spec
type Unlisted = Tagged['tags']['smumary']

// A variant keeps the arguments and the reply of its parent, unless it is given others.
const variant = typed.extend({ description: 'Stricter.' })
variant.render({ code: '' })
same<ParsedOf<typeof variant>, { verdict: 'good' | 'bad' }>(true)
const shorter = typed.extend({ template: 'Judge {snippet}.', output: z.object({ ok: z.boolean() }) })
shorter.render({ snippet: '' })
same<ParsedOf<typeof shorter>, { ok: boolean }>(true)
const counted = essay.extend({ parser: { parse: (text: string) => text.length } satisfies Parser<number> })
same<ParsedOf<typeof counted>, number>(true)

export type { Unlisted }
