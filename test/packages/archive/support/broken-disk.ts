import { Writable } from 'node:stream'
import { type Disk, disk } from '../../../../src/packages/archive/disk.ts'

/** What happens at a step of the disk, counted from 1. `killed`: that step and all after it do nothing but fail. */
export interface DiskFault {
  readonly step: number
  readonly how: 'fails' | 'killed'
}

/** A disk that really writes until a step fails, as when it is full, or the process is killed before it. */
export function brokenDisk({ step, how }: DiskFault): Disk & { readonly steps: readonly string[] } {
  const steps: string[] = []
  const judge = (name: string) => {
    const count = steps.push(name)
    if (how === 'killed' ? count >= step : count === step) {
      throw Object.assign(new Error(`ENOSPC: no space left on device, ${name}`), { code: 'ENOSPC' })
    }
  }
  return {
    steps,
    async makeFolder(path) {
      judge('mkdir')
      await disk.makeFolder(path)
    },
    createFile: (path) => failingFile(disk.createFile(path), () => judge('write')),
    rename(from, to) {
      judge('rename')
      disk.rename(from, to)
    },
    async remove(path) {
      judge('remove')
      await disk.remove(path)
    },
  }
}

/** A file that takes half of what is written before it fails. */
function failingFile(file: Writable, judge: () => void): Writable {
  return new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      try {
        judge()
        file.write(chunk, done)
      } catch (error) {
        file.write(chunk.subarray(0, chunk.length / 2), () => done(error as Error))
      }
    },
    final: (done) => void file.end(done),
    destroy(error, done) {
      file.destroy()
      done(error)
    },
  })
}
