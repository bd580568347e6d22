import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { installPackage } from '../../../src/packages/archive/install-package.ts'
import { manifest, packageFolder, tactic } from '../package-folder.ts'
import { rawZip } from './support/raw-zip.ts'
import { createScope, snapshot } from './support/scope.ts'

const mebibyte = 1024 * 1024

test('an install takes little memory, whatever the archive holds, and however much it lies', async () => {
  const zeros = deflateRawSync(Buffer.alloc(100 * mebibyte))
  const named = (name: string) => ({ name: 'lllm.toml', data: manifest(name) })
  const folder = await packageFolder({
    'small.zip': rawZip([named('small'), { name: 'a', data: 'x' }]),
    'lying.zip': rawZip([named('lying'), { name: 'a', packed: zeros, declaredBytes: 1000 }]),
    'told.zip': rawZip([named('told'), { name: 'a', packed: zeros, declaredBytes: 100 * mebibyte }]),
    'large.zip': rawZip([named('large'), { name: 'a', data: randomBytes(60 * mebibyte), method: 0 }]),
    'many.zip': rawZip([
      named('many'),
      ...Array.from({ length: 65_000 }, (_, index) => ({ name: `a/${index}`, method: 0 })),
    ]),
  })
  const archives = ['small', 'lying', 'told', 'large', 'many'].map((name) => join(folder, `${name}.zip`))
  const script = join(import.meta.dirname, 'support/install-process.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [script, join(folder, 'scope'), ...archives])
  const { outcomes, grownBytes } = JSON.parse(stdout) as { outcomes: readonly string[]; grownBytes: number }
  expect(outcomes).toEqual([
    expect.stringMatching(/^\d\d bytes$/),
    expect.stringContaining('it should have 1000 bytes, but has more'),
    expect.stringContaining('it has 104857600 bytes; a file has at most'),
    expect.stringMatching(/^629146\d\d bytes$/),
    expect.stringContaining('It has 65001 entries'),
  ])
  expect(grownBytes).toBeLessThan(56 * mebibyte)
  expect((await readdir(join(folder, 'scope'))).sort()).toEqual(['large', 'small'])
})

test('an archive with any bytes changed, removed or added installs as a whole, or is refused and leaves nothing', async () => {
  const honest = rawZip([
    { name: 'lllm.toml', data: manifest() },
    { name: 'tactics/a.ts', data: tactic('a') },
    { name: 'assets/b.bin', data: randomBytes(300), method: 0 },
  ])
  const change = fc.record({
    at: fc.nat(honest.length - 1),
    removed: fc.nat(4),
    added: fc.uint8Array({ maxLength: 4 }),
  })
  const { root, archive, scopeFolder } = await createScope()
  const check = fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
    let bytes: Uint8Array = honest
    for (const { at, removed, added } of changes) {
      bytes = Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)])
    }
    await writeFile(archive, bytes)
    const before = await snapshot(root)
    try {
      await installPackage(archive, { scopeFolder, replace: true })
      expect(await readdir(scopeFolder)).toHaveLength(1)
    } catch (error) {
      expect(error).toMatchObject({ name: 'LllmError' })
      expect(await snapshot(root)).toEqual(before)
    }
  })
  await fc.assert(check, { numRuns: 75 })
})
