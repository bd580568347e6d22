import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findPathFault, foldPath } from '../../../src/packages/archive/entry-name.ts'
import { exportPackage } from '../../../src/packages/archive/export-package.ts'
import { installPackage } from '../../../src/packages/archive/install-package.ts'
import { reasonToLeaveOut } from '../../../src/packages/archive/left-out.ts'
import { manifest } from '../package-folder.ts'
import { projectOf } from './support/package-of.ts'
import { createScope, filesIn } from './support/scope.ts'

const segment = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .filter((text) => findPathFault(text) === undefined && reasonToLeaveOut(text) === undefined && !text.includes('/'))

const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => `assets/${segments.join('/')}`)

/** Bytes that cannot be packed well, without asking fast-check for each of them. */
function noise(length: number): Uint8Array {
  let state = length + 1
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return state >>> 24
  })
}

const content = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  fc.constant(new Uint8Array(0)),
  fc.nat(200_000).map((length) => new Uint8Array(length).fill(7)),
  fc.nat(200_000).map(noise),
)

/** Trees in which no two paths, nor folders, are one on any system. */
const tree = fc.array(fc.tuple(path, content), { minLength: 1, maxLength: 12 }).map((files) => {
  const kept = new Map<string, Uint8Array>()
  const seen = new Map<string, string>()
  for (const [name, bytes] of files) {
    const parts = name.split('/').map((_, index, all) => all.slice(0, index + 1).join('/'))
    const marks = parts.map((part, index) => [
      foldPath(part),
      `${part} ${index === parts.length - 1 ? 'file' : 'folder'}`,
    ])
    const isFree = marks.every(([folded = '', mark], index) => {
      const known = seen.get(folded)
      return known === undefined || (known === mark && index < parts.length - 1)
    })
    if (!isFree) continue
    for (const [folded = '', mark = ''] of marks) seen.set(folded, mark)
    kept.set(name, bytes)
  }
  return kept
})

test('any tree of files is, after its export and its install elsewhere, what it was, byte for byte', async () => {
  const check = fc.asyncProperty(tree, async (files) => {
    const text = manifest('demo', '[assets]\npaths = ["assets/"]\n')
    const project = await projectOf({ 'lllm.toml': text, ...Object.fromEntries(files) })
    await exportPackage(project.root, project.out)
    const { scopeFolder } = await createScope()
    const { folder } = await installPackage(project.out, { scopeFolder })
    const expected = [...files].map(([name, bytes]) => [name, Buffer.from(bytes).toString('latin1')])
    expect(await filesIn(folder)).toEqual({ 'lllm.toml': text, ...Object.fromEntries(expected) })
  })
  await fc.assert(check, { numRuns: 20 })
})
