#!/usr/bin/env node
import { enableCompileCache } from 'node:module'

enableCompileCache()
const { runCommandLine } = await import('./command-line.ts')
const { processShell } = await import('./process-shell.ts')
process.exit(await runCommandLine(process.argv.slice(2), processShell()))
