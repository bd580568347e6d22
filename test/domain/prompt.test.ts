import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defaultHandlers, definePrompt, isPrompt } from '../../src/domain/prompt.ts'
import { tagParser } from '../../src/domain/tag-parser.ts'
import { defineTool } from '../../src/domain/tool.ts'

const look = defineTool({ name: 'look', description: 'Looks.', args: z.object({}), run: () => 'seen' })
const parser = tagParser({ tags: { required: ['answer'] } })
const output = z.object({ answer: z.string() })

describe('a prompt', () => {
  test('renders its template', () => {
    const prompt = definePrompt({ template: 'Write about {topic}.' })
    expect(prompt.slots).toEqual(['topic'])
    expect(prompt.render({ topic: 'bees' })).toBe('Write about bees.')
  })

  test('has no tools and the default handlers unless it is given some', () => {
    const prompt = definePrompt({ template: '', handlers: { exception: 'Again: {error}' } })
    expect(prompt.tools).toEqual([])
    expect(prompt.mcpServers).toEqual([])
    expect(prompt.handlers).toEqual({ ...defaultHandlers, exception: 'Again: {error}' })
  })

  test('cannot be changed', () => {
    expect(Object.isFrozen(definePrompt({ template: '' }))).toBe(true)
  })

  test('is told from other objects, also when it comes from another copy of the library', () => {
    expect(isPrompt(definePrompt({ template: '' }))).toBe(true)
    expect(isPrompt({ [Symbol.for('lllm.prompt')]: true })).toBe(true)
    expect(isPrompt({ template: '' })).toBe(false)
    expect(isPrompt(null)).toBe(false)
  })

  test('has an output schema or a parser, not both', () => {
    expect(() => definePrompt({ path: 'essay', template: '', output, parser })).toThrow(
      'The prompt "essay" has an output schema and a parser: it can have one of them.',
    )
  })

  test('has no two tools of one name', () => {
    expect(() => definePrompt({ template: '', tools: [look, look] })).toThrow('The prompt has two tools "look".')
  })

  test('has handlers with known slots only, so that a retry never fails for want of a value', () => {
    expect(() => definePrompt({ template: '', handlers: { exception: 'No: {eror}' } })).toThrow(
      'its handler exception has a slot {eror}, which nothing fills. Did you mean "error"? Known: error.',
    )
    expect(() => definePrompt({ template: '', handlers: { finalInterrupt: '{name}' } })).toThrow('finalInterrupt')
    expect(() => definePrompt({ template: '', handlers: { interrupt: '{name}: {result}' } })).not.toThrow()
  })
})

describe('a variant', () => {
  const parent = definePrompt({
    template: 'Write about {topic}.',
    description: 'Writes.',
    parser,
    tools: [look],
    handlers: { exception: 'Again.' },
  })

  test('has what it is not given from its parent', () => {
    const variant = parent.extend({ description: 'Writes well.' })
    expect(variant.render({ topic: 'bees' })).toBe('Write about bees.')
    expect(variant.description).toBe('Writes well.')
    expect(variant.parser).toBe(parser)
    expect(variant.tools).toEqual([look])
  })

  test('replaces handlers one by one', () => {
    const { handlers } = parent.extend({ handlers: { finalInterrupt: 'Now.' } })
    expect(handlers).toEqual({ ...defaultHandlers, exception: 'Again.', finalInterrupt: 'Now.' })
  })

  test('replaces one kind of contract by the other', () => {
    const typed = parent.extend({ output })
    expect(typed.output).toBe(output)
    expect(typed.parser).toBeUndefined()
    const tagged = typed.extend({ parser })
    expect(tagged.output).toBeUndefined()
    expect(tagged.parser).toBe(parser)
  })

  test('leaves its parent as it was', () => {
    parent.extend({ template: 'Else.', tools: [] })
    expect(parent.template).toBe('Write about {topic}.')
    expect(parent.tools).toEqual([look])
  })
})
