import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toolName } from '../../src/domain/tool.ts'
import { toTools } from '../../src/mcp/mcp-tool.ts'

const noCall = () => Promise.reject(new Error('No tool is called here.'))
const anyName = fc.oneof(
  fc.string({ minLength: 1, maxLength: 256 }),
  fc.constantFrom('a', 'a_2', 'a.2', 'x'.repeat(90)),
)

test('whatever a server calls its tools, each gets a name of its own that providers accept', () => {
  fc.assert(
    fc.property(fc.array(anyName, { maxLength: 40 }), (names) => {
      const offered = names.map((name) => ({ name, inputSchema: { type: 'object' } }))
      const tools = toTools('demo', offered, noCall)
      expect(tools).toHaveLength(names.length)
      expect(new Set(tools.map(({ name }) => name)).size).toBe(names.length)
      for (const { name } of tools) expect(name).toMatch(toolName)
    }),
  )
})

test('whatever a server offers, what is no tool is left out', () => {
  fc.assert(
    fc.property(fc.array(fc.anything()), (offered) => {
      expect(() => toTools('demo', offered, noCall)).not.toThrow()
    }),
  )
})

test('a schema is handed on as it is, with what we do not know of', () => {
  const inputSchema = { type: 'object', properties: { a: { $ref: '#/$defs/a' } }, $defs: { a: {} }, 'x-note': 1 }
  expect(toTools('demo', [{ name: 'a', inputSchema }], noCall)[0]?.parameters).toEqual(inputSchema)
})
