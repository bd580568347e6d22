import { enableCompileCache } from 'node:module'

enableCompileCache()
// Started by `serve --watch`, in a group of its own, so that Ctrl-C reaches the parent alone. Whatever ends the parent, a
// kill too, ends the service.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
const { serve } = await import('../../serve.ts')
process.exit(await serve())
