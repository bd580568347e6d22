import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defaultHandlers } from '../../src/domain/prompt.ts'
import { readPrompt } from '../../src/packages/read-prompt.ts'
import { loadFolder, manifest, packageFolder } from './package-folder.ts'

async function load(files: Readonly<Record<string, string>>) {
  const folder = await packageFolder({ 'lllm.toml': manifest(), ...files })
  return { folder, prompts: loadFolder(folder).then((loaded) => loaded.package.prompts) }
}
const read = (text: string) => readPrompt(text, { file: 'x.md', path: 'x' })

describe('an .md file', () => {
  test('is a template, named by its path', async () => {
    const { prompts } = await load({ 'prompts/review/editor.md': 'Judge {what}.\n' })
    const prompt = (await prompts).get('review/editor')
    expect(prompt).toMatchObject({ path: 'review/editor', template: 'Judge {what}.', slots: ['what'] })
  })

  test('may say more in front matter', () => {
    const prompt = read(`---
description: Judges.
parser:
  tags: { required: [verdict], optional: [note] }
  fences: { optional: [json] }
  signals: [STOP]
handlers:
  exception: 'Again, please: {error}'
  final_interrupt: Enough.
mcp_servers: [files]
---

Judge
--- not the end
it.

`)
    expect(prompt).toMatchObject({
      description: 'Judges.',
      template: 'Judge\n--- not the end\nit.',
      handlers: { ...defaultHandlers, exception: 'Again, please: {error}', finalInterrupt: 'Enough.' },
      mcpServers: ['files'],
    })
    expect(prompt.parser?.format).toEqual({
      kind: 'tags',
      tags: ['verdict', 'note'],
      fences: ['json'],
      signals: ['STOP'],
    })
    expect(prompt.parser?.parse('<verdict>good</verdict>')).toMatchObject({ tags: { verdict: [{ content: 'good' }] } })
  })

  test('may have empty front matter, or nothing else', () => {
    expect(read('---\n---\nHi.\n').template).toBe('Hi.')
    expect(read('---\ndescription: D.\n---').template).toBe('')
    expect(read('').template).toBe('')
  })

  test('reads the same whichever system it was written on', async () => {
    const { prompts } = await load({ 'prompts/x.md': '\uFEFF---\r\ndescription: D.\r\n---\r\nOne\r\nTwo\r\n' })
    expect((await prompts).get('x')).toMatchObject({ description: 'D.', template: 'One\nTwo' })
  })

  test('without front matter is its text, whatever it says', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!text.startsWith('---\n') && !text.endsWith('\n'))
        expect(read(`${text}\n`).template).toBe(text)
      }),
    )
  })

  test('whose name begins with an underscore is passed over', async () => {
    expect((await (await load({ 'prompts/_draft.md': '---\n' })).prompts).size).toBe(0)
  })

  test.each([
    [
      'front matter without an end',
      '---\ndescription: D.\n',
      'x.md:1:1: The front matter that begins here is not closed',
    ],
    ['broken YAML, at its line in the file', '---\ndescription: D.\nparser: }\n---\n', 'x.md:3:9: '],
    ['an unknown key', '---\ndescripton: D.\n---\n', 'x.md: /descripton is not known. Did you mean "description"?'],
    ['an unknown handler', '---\nhandlers: { eror: x }\n---\n', 'x.md: /handlers/eror is not known.'],
    [
      'a value of the wrong type',
      '---\nmcp_servers: files\n---\n',
      'x.md: /mcp_servers: Invalid input: expected array',
    ],
    [
      'a handler with an unknown slot',
      "---\nhandlers: { exception: '{x}' }\n---\n",
      'x.md: The prompt "x": its handler',
    ],
    ['a tag that no reply can have', '---\nparser: { tags: { required: [a b] } }\n---\n', 'x.md: "a b" cannot be'],
    ['endless front matter', `---\n#${'x'.repeat(70_000)}\n---\n`, 'x.md: The front matter is longer than 65536.'],
  ])('%s is a mistake', (_name, text, message) => {
    expect(() => read(text)).toThrow(message)
  })
})

describe('a module', () => {
  const prompt = (text: string) => `definePrompt({ template: '${text}' })`
  const imports = "import { definePrompt } from 'lllm'\n"
  const paths = async (files: Readonly<Record<string, string>>) =>
    [...(await (await load(files)).prompts)].map(([path, { template, path: own }]) => [path, own, template])

  test('that exports one prompt gives it the path of the file', async () => {
    expect(await paths({ 'prompts/a.mjs': `${imports}export default ${prompt('A')}` })).toEqual([['a', 'a', 'A']])
    expect(
      await paths({ 'prompts/b.ts': `${imports}export const only = ${prompt('B')}\nexport const n: number = 1` }),
    ).toEqual([['b', 'b', 'B']])
  })

  test('that exports several names them by their exports', async () => {
    const source = `${imports}export default ${prompt('D')}\nexport const one = ${prompt('1')}\nexport const two = ${prompt('2')}`
    expect(await paths({ 'prompts/dir/c.mjs': source })).toEqual([
      ['dir/c', 'dir/c', 'D'],
      ['dir/c/one', 'dir/c/one', '1'],
      ['dir/c/two', 'dir/c/two', '2'],
    ])
  })

  test('without a prompt is a mistake', async () => {
    const { folder, prompts } = await load({ 'prompts/a.mjs': 'export const text = "Hi."' })
    await expect(prompts).rejects.toMatchObject({
      code: 'invalid-prompt',
      message: `${join(folder, 'prompts/a.mjs')}: It exports no prompt made by definePrompt. It exports text.`,
    })
  })

  test('that throws is told with its file', async () => {
    const { folder, prompts } = await load({
      'prompts/a.mjs': `${imports}export default definePrompt({ template: '', handlers: { exception: '{x}' } })`,
    })
    await expect(prompts).rejects.toThrow(
      `${join(folder, 'prompts/a.mjs')}: It could not be loaded: The prompt: its handler`,
    )
  })
})

test('two prompts of one path are a mistake that names both files', async () => {
  const { folder, prompts } = await load({
    'prompts/a.md': 'A',
    'prompts/a.mjs': "import { definePrompt } from 'lllm'\nexport default definePrompt({ template: 'A' })",
  })
  const [text, module] = [join(folder, 'prompts/a.md'), join(folder, 'prompts/a.mjs')]
  await expect(prompts).rejects.toThrow(`${module}: ${text} has the prompt "a" already: rename one of them.`)
})
