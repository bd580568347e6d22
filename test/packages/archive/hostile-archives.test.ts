import { mkdir } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { installPackage } from '../../../src/packages/archive/install-package.ts'
import {
  type HostileArchive,
  hostileFiles,
  hostileKinds,
  hostileNames,
  hostilePackages,
  hostileSizes,
} from './support/hostile-archives.ts'
import { createScope, snapshot } from './support/scope.ts'

async function expectRefusal({ bytes, told }: HostileArchive) {
  const { root, archive, scopeFolder } = await createScope(bytes())
  const before = await snapshot(root)
  const refusal = await installPackage(archive, { scopeFolder }).catch((error: unknown) => error)
  expect(refusal).toMatchObject({
    name: 'LllmError',
    code: expect.stringMatching(/^invalid-(?:archive|manifest)$/),
    message: told instanceof RegExp ? expect.stringMatching(told) : expect.stringContaining(told),
  })
  expect((refusal as Error).message.startsWith(archive)).toBe(true)
  for (const character of ['\0', '\u001b', '\u202e']) expect((refusal as Error).message).not.toContain(character)
  expect(await snapshot(root)).toEqual(before)
}

describe('an archive is refused, and leaves nothing anywhere, with', () => {
  test.each(hostileNames)('$what', expectRefusal)
  test.each(hostileKinds)('$what', expectRefusal)
  test.each(hostileSizes)('$what', expectRefusal)
})

describe('an archive is refused, and leaves nothing anywhere, that is', () => {
  test.each(hostileFiles)('$what', expectRefusal)
})

describe('a package is refused, and leaves nothing anywhere, with', () => {
  test.each(hostilePackages)('$what', expectRefusal)
})

test('an archive that is a folder, or is not there, is refused', async () => {
  const { root, scopeFolder } = await createScope()
  await mkdir(`${root}/folder.zip`)
  await expect(installPackage(`${root}/folder.zip`, { scopeFolder })).rejects.toThrow('folder.zip: It is no file.')
  await expect(installPackage(`${root}/none.zip`, { scopeFolder })).rejects.toThrow(
    'none.zip: It cannot be read: ENOENT',
  )
})
