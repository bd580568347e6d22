#!/usr/bin/env node
// An older Node has to come as far as the words that it is too old: until then, nothing is used by name that it may not have.
import module from 'node:module'
import { setImmediate } from 'node:timers/promises'
import { refuseOldNode } from './node-version.ts'

const args = process.argv.slice(2)
const refusal = refuseOldNode(process.versions.node, args)
if (refusal !== undefined) {
  process.stderr.write(refusal)
  process.exit(1)
}
module.enableCompileCache()
const { runCommandLine } = await import('./command-line.ts')
const { processShell } = await import('./process-shell.ts')
const exitCode = await runCommandLine(args, processShell())
// That the reader of the last words has gone comes to light a moment after they were written.
await setImmediate()
process.exit(exitCode)
