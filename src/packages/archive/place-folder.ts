import { randomUUID } from 'node:crypto'
import { existsSync, type Stats } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { replacedPrefix } from '../drop-ins.ts'
import { reasonOf } from './archive-fault.ts'
import type { Disk } from './disk.ts'
import { packageRefused } from './package-refused.ts'

/** Hidden, so that none of them is ever taken for an installed package. */
const prefixes = { staged: '.install-', replaced: replacedPrefix, removed: '.removed-' } as const

/** An install takes seconds. What has lain there for as long as this was left by one that was killed. */
const staleMs = 60 * 60 * 1000

export function stagingFolder(scopeFolder: string): string {
  return join(scopeFolder, `${prefixes.staged}${randomUUID()}`)
}

/**
 * Puts a folder in its place. With `replace`, what is there goes aside first, and comes back on any failure: the two
 * renames follow each other at once, and `recover` completes what a killed process left between them.
 *
 * @returns What is not as it should be, but does no harm.
 * @throws LllmError `package-refused`
 */
export async function placeFolder(
  staged: string,
  target: string,
  { replace, disk }: { readonly replace: boolean; readonly disk: Disk },
): Promise<readonly string[]> {
  const aside = asideOf(target)
  const isReplacing = replace && existsSync(target)
  try {
    if (isReplacing) disk.rename(target, aside)
    disk.rename(staged, target)
  } catch (cause) {
    if (isReplacing && !existsSync(target) && existsSync(aside)) bringBack(aside, target, disk)
    if (isTaken(cause)) throw packageRefused(`${target}: Another install put a package there at the same time.`, cause)
    throw packageRefused(`${target}: The package could not be put there: ${reasonOf(cause)}.`, cause)
  }
  if (!isReplacing) return []
  try {
    await discard(aside, disk)
    return []
  } catch (error) {
    return [`The old version could not be removed; the next install will: ${reasonOf(error)}.`]
  }
}

function bringBack(aside: string, target: string, disk: Disk) {
  try {
    disk.rename(aside, target)
  } catch (cause) {
    const told = `The old version is in ${aside} and could not be brought back; the next install will`
    throw packageRefused(`${target}: ${told}: ${reasonOf(cause)}.`, cause)
  }
}

/** Takes a folder out of its place at once, and then removes it: no half of it is ever there. */
export async function discard(folder: string, disk: Disk): Promise<void> {
  const removed = join(dirname(folder), `${prefixes.removed}${randomUUID()}`)
  try {
    disk.rename(folder, removed)
  } catch (error) {
    // Somebody else was quicker.
    if (codeOf(error) === 'ENOENT') return
    throw error
  }
  await disk.remove(removed)
}

/**
 * Sets right what killed processes left: an old version that is still aside while nothing is in its place comes back, and
 * everything else of theirs is removed, once it is certain that nobody is at work on it.
 */
export async function recover(scopeFolder: string, disk: Disk, nowMs = Date.now()): Promise<void> {
  for (const name of await readNames(scopeFolder)) {
    const path = join(scopeFolder, name)
    try {
      if (name.startsWith(prefixes.replaced)) await settleReplaced(path, disk)
      else if (isOurs(name) && isStale(await lstat(path).catch(() => undefined), nowMs)) await disk.remove(path)
    } catch (error) {
      const told = `${path}: This was left by an install that was killed, and it cannot be removed`
      if (!isTaken(error)) throw packageRefused(`${told}: ${reasonOf(error)}.`, error)
    }
  }
}

async function settleReplaced(path: string, disk: Disk): Promise<void> {
  const target = join(dirname(path), basename(path).slice(prefixes.replaced.length))
  if (existsSync(target)) await discard(path, disk)
  else disk.rename(path, target)
}

function isOurs(name: string): boolean {
  return name.startsWith(prefixes.staged) || name.startsWith(prefixes.removed)
}

function isStale(status: Stats | undefined, nowMs: number): boolean {
  return status !== undefined && nowMs - status.mtimeMs > staleMs
}

/** The names in a folder that need not be there. */
export async function readNames(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).sort()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw packageRefused(`${folder}: It cannot be read: ${reasonOf(error)}.`, error)
  }
}

function asideOf(target: string): string {
  return join(dirname(target), `${prefixes.replaced}${basename(target)}`)
}

/** Whether somebody else has moved the one folder, or put something where the other was to go. */
function isTaken(error: unknown): boolean {
  return ['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(codeOf(error))
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
