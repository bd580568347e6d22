import { installPackage } from '../../../../src/packages/archive/install-package.ts'

/** Installs archives one after another, and tells how each ended and by how many bytes the process has grown at most. */
const [scopeFolder = '', ...archives] = process.argv.slice(2)
const outcomes: string[] = []
// The peak that the system knows of a process may be that of the one that started it, so that this one is watched.
const watch = { before: 0, peak: 0 }
const look = () => {
  watch.peak = Math.max(watch.peak, process.memoryUsage.rss())
}
const timer = setInterval(look, 2)
for (const archive of archives) {
  const outcome = await installPackage(archive, { scopeFolder }).then(
    ({ bytes }) => `${bytes} bytes`,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
  outcomes.push(outcome)
  look()
  // The first one loads everything that an install needs.
  if (watch.before === 0) watch.before = process.memoryUsage.rss()
}
clearInterval(timer)
process.stdout.write(JSON.stringify({ outcomes, grownBytes: watch.peak - watch.before }))
