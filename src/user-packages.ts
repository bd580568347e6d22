import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Settings } from './settings.ts'

/** The folder of the user's own packages. */
export function userPackagesFolder({ homeFolder }: Pick<Settings, 'homeFolder'>): string {
  const [, below] = /^~(?:\/(.*))?$/.exec(homeFolder) ?? []
  const home =
    homeFolder.startsWith('~') && (below !== undefined || homeFolder === '~')
      ? join(homedir(), below ?? '')
      : resolve(homeFolder)
  return join(home, 'packages')
}
