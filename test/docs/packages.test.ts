import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { archiveLimits, depthMax, pathBytesMax, segmentBytesMax } from '../../src/packages/archive/archive-limits.ts'
import { runLllm } from '../cli/support/test-shell.ts'
import { projectFolder } from '../e2e/support/service.ts'
import { manifest, packageFolder } from '../packages/package-folder.ts'
import { readBlocks, readText } from './markdown.ts'

const page = readText('docs/packages.md')

/** Archives are packed as well as zlib can, which is not the same number of bytes in each of its versions. */
const withoutPackedSize = (text: string) => text.replaceAll(/(Exported .*), \d+ bytes\./g, '$1, … bytes.')

test('the commands of docs/packages.md say what the page shows', async () => {
  const home = await packageFolder({})
  await cp(join(projectFolder, 'examples/packages'), join(home, 'newsroom'), { recursive: true })
  await mkdir(join(home, 'journal'))
  await writeFile(join(home, 'journal/lllm.toml'), manifest('journal'))
  let folder = home
  for (const { text, language, line } of readBlocks(page)) {
    if (language !== 'console') continue
    let said = ''
    for (const command of text.split('\n').filter((shown) => shown.startsWith('$ '))) {
      const [program = '', ...args] = command
        .slice(2)
        .split(' ')
        .map((word) => word.replace(/^~/, home))
      said += `${command}\n`
      if (program === 'cd') folder = args[0] ?? home
      else {
        expect(program).toBe('lllm')
        const { stdout, stderr } = await runLllm(args, { folder, env: { LLLM_HOME: join(home, '.lllm') } })
        said += stdout + stderr
      }
    }
    const shown = said.replaceAll(home, '/home/ada').trimEnd()
    expect(withoutPackedSize(shown), `docs/packages.md:${line}`).toBe(withoutPackedSize(text))
  }
})

test('the limits of docs/packages.md are those of the code', () => {
  const rows = [...page.matchAll(/^\| (.+) \| (.+) \|$/gm)].map(([, , limit]) => limit)
  const { archiveBytesMax, entriesMax, fileBytesMax, totalBytesMax, ratioMax, ratioFromBytes } = archiveLimits
  const inMebibytes = (bytes: number) => `${bytes / 2 ** 20} MiB`
  const count = (number: number) => number.toLocaleString('en')
  expect(rows).toEqual([
    inMebibytes(archiveBytesMax),
    count(entriesMax),
    inMebibytes(fileBytesMax),
    inMebibytes(totalBytesMax),
    `${ratioMax} times, from ${inMebibytes(ratioFromBytes)} on`,
    `${count(pathBytesMax)} bytes, ${depthMax} folders deep; each part ${segmentBytesMax} bytes`,
  ])
})
