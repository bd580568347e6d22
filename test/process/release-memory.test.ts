import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'

const releaseFile = new URL('../../src/process/release-memory.ts', import.meta.url)

/** Gives memory back again and again, as threads do that start at the same moment. Its exit code is 0 where nothing went wrong. */
function releasing(): Promise<number> {
  const source = `
    const { releaseStartupMemory } = await import(${JSON.stringify(releaseFile.href)})
    for (let count = 0; count < 15; count++) releaseStartupMemory()
  `
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`))
  return new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject))
}

test('threads that give back memory at the same moment do not end each other', async () => {
  expect(await Promise.all([releasing(), releasing(), releasing(), releasing()])).toEqual([0, 0, 0, 0])
})
