import { enableCompileCache } from 'node:module'

// The cache has to be on before the modules that it speeds up are loaded, hence the import below it.
enableCompileCache()
const { serve } = await import('./serve.ts')
// Whatever a tactic has left open, such as a timer, does not keep a service alive that has ended.
process.exit(await serve())
