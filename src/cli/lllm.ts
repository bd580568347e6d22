#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { setImmediate } from 'node:timers/promises'

enableCompileCache()
const { runCommandLine } = await import('./command-line.ts')
const { processShell } = await import('./process-shell.ts')
const exitCode = await runCommandLine(process.argv.slice(2), processShell())
// That the reader of the last words has gone comes to light a moment after they were written.
await setImmediate()
process.exit(exitCode)
