import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import { readExamples, renderHelp, runExamples } from '../../scripts/cli-docs.ts'
import { exitCodes } from '../../src/cli/exit-code.ts'
import { databaseFiles } from '../support/database-files.ts'
import { readText } from './markdown.ts'

const page = readText('docs/cli.md')
const { newPath } = databaseFiles()

test('docs/cli.md has the help of every command: if it does not, run node scripts/cli-docs.ts', () => {
  const [, commands = ''] = page.split('## Commands\n')
  expect(commands.trim()).toBe(renderHelp().trim())
})

test('the exit codes of docs/cli.md are those that there are', () => {
  const rows = [...page.matchAll(/^\| (\d+) \| (\w+) \| \S.* \|$/gm)].map(([, code, name]) => [name, Number(code)])
  expect(Object.fromEntries(rows)).toEqual(exitCodes)
})

test.each([
  ['docs/cli.md', 6],
  ['README.md', 1],
])('the examples of %s answer what it shows: if they do not, run node scripts/cli-docs.ts', async (path, countMin) => {
  const database = newPath()
  const shown = readExamples(readText(path))
  const answered = await runExamples(
    shown.map(({ line }) => line),
    { LLLM_DATABASE: database, LLLM_HOME: dirname(database) },
  )
  expect(shown.length).toBeGreaterThanOrEqual(countMin)
  expect(answered.map(mask)).toEqual(shown.map(mask))
})

/** Ids, times and durations differ from run to run, and with them the width of columns. */
function mask({ line, answer }: { readonly line: string; readonly answer: string }) {
  const masked = answer
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/\b\d+(?:\.\d)? m?s\b/g, 'DURATION')
    // Where a text is cut depends on what is before it.
    .replaceAll(/\[simulated\][^\n]*…$/gm, 'CUT')
    .replaceAll(/ {2,}/g, '  ')
  return { line, answer: masked }
}
