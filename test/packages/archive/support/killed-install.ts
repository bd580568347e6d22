import { type Disk, disk } from '../../../../src/packages/archive/disk.ts'
import { installPackage } from '../../../../src/packages/archive/install-package.ts'

/** Replaces a package, and is killed as soon as a step of the disk is to begin; steps are counted from 1. */
const [archive = '', scopeFolder = '', fatalStep] = process.argv.slice(2)
let step = 0

function judge() {
  if (++step < Number(fatalStep)) return
  process.kill(process.pid, 'SIGKILL')
  // The signal may take a moment, in which nothing else may happen.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}

const fatal: Disk = {
  async makeFolder(path) {
    judge()
    await disk.makeFolder(path)
  },
  createFile(path) {
    const file = disk.createFile(path)
    const write = file.write.bind(file)
    file.write = (chunk: unknown) => {
      judge()
      return write(chunk)
    }
    return file
  },
  rename(from, to) {
    judge()
    disk.rename(from, to)
  },
  async remove(path) {
    judge()
    await disk.remove(path)
  },
}

await installPackage(archive, { scopeFolder, replace: true, disk: fatal })
