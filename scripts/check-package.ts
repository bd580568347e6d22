// Packs what would be published, and checks that it holds what it should, and that its entries and types are found.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bin, packProject } from './pack.ts'

const folder = mkdtempSync(join(tmpdir(), 'lllm-package-'))

function check(tool: string, args: readonly string[]) {
  const { status } = spawnSync(bin(tool), args, { cwd: folder, stdio: 'inherit' })
  if (status !== 0) throw new Error(`${tool} ended with ${status}.`)
}

try {
  const { file } = await packProject(folder)
  check('publint', [file, '--strict'])
  check('attw', [file, '--profile', 'esm-only'])
} finally {
  rmSync(folder, { recursive: true, force: true })
}
