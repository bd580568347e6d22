import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, link, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'
import { projectFolder } from './service.ts'

const execute = promisify(execFile)

/** What npm and the installed programs see: the Node of these tests first, no key, and nobody's home. */
function environment(folder: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    PATH: `${dirname(process.execPath)}:${process.env['PATH']}`,
    HOME: folder,
    npm_config_cache: join(folder, '.npm'),
    npm_config_offline: 'true',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
    LLLM_PORT: '0',
    ...more,
  }
}

/** Runs a program to its end, in a folder. What it says is a part of the error when it fails. */
export async function runIn(folder: string, command: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await execute(command, args, { cwd: folder, env: environment(folder) })
    return stdout
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout?: string; readonly stderr?: string }
    throw new Error(`${command} ${args.join(' ')} failed.\n${stdout}\n${stderr}`, { cause: error })
  }
}

/** Starts a program that serves, and gives its address. It and all that it has started are ended with the test, or before. */
export async function serveIn(folder: string, command: string, args: readonly string[]) {
  const child = spawn(command, args, {
    cwd: folder,
    env: environment(folder),
    // A group of its own: npm and what it starts are ended together.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, signal)
    await ended
  }
  onTestFinished(() => stop('SIGKILL'))
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  for await (const line of createInterface({ input: child.stdout })) {
    said += `${line}\n`
    const [, url] = /"url":"([^"]+)".*"msg":"listening"/.exec(line) ?? []
    if (url === undefined) continue
    child.stdout.resume()
    return { url, stop }
  }
  throw new Error(`${command} ${args.join(' ')} ended before it listened.\n${said}`)
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly optional?: boolean }>>
}

/**
 * Puts into a folder what npm would fetch: our dependencies as they are installed here, and Node. npm then finds that
 * nothing is missing, so that it needs no registry.
 */
export async function prepareModules(folder: string): Promise<void> {
  const { packages } = JSON.parse(await readFile(join(projectFolder, 'package-lock.json'), 'utf8')) as Lock
  const wanted = Object.keys(packages).filter((path) => {
    const isOurs = path !== '' && packages[path]?.dev !== true && path.lastIndexOf('node_modules/') === 0
    return isOurs || /^node_modules\/(?:@types\/node|undici-types)$/.test(path)
  })
  const here = await linkModules(wanted, folder)
  await Promise.all(here.map((path) => linkBins(path, folder)))
  await writeNode(folder)
}

/** Puts modules into a folder: as links where the system has them, for there are thousands of files. Gives those that are here at all. */
async function linkModules(paths: readonly string[], folder: string): Promise<readonly string[]> {
  // Of those that are for other machines, none is here.
  const here = paths.filter((path) => existsSync(join(projectFolder, path)))
  await mkdir(folder, { recursive: true })
  await execute('cp', ['-rl', '--parents', '-t', folder, ...here], { cwd: projectFolder }).catch(() =>
    Promise.all(here.map((path) => cp(join(projectFolder, path), join(folder, path), { recursive: true }))),
  )
  return here
}

async function linkBins(path: string, folder: string): Promise<void> {
  const { name, bin } = JSON.parse(await readFile(join(projectFolder, path, 'package.json'), 'utf8')) as ModulePackage
  const bins = typeof bin === 'string' ? { [name.replace(/^.*\//, '')]: bin } : (bin ?? {})
  for (const [command, file] of Object.entries(bins)) await linkBin(folder, command, join(folder, path, file))
}

interface ModulePackage {
  readonly name: string
  readonly bin?: string | Readonly<Record<string, string>>
}

async function linkBin(folder: string, command: string, file: string) {
  const place = join(folder, 'node_modules/.bin', command)
  await mkdir(dirname(place), { recursive: true })
  await symlink(relative(dirname(place), file), place)
}

/** The package `node` as it is once its install script has fetched the program. */
async function writeNode(folder: string) {
  const own = join(projectFolder, 'node_modules/node')
  const { name, version, bin } = JSON.parse(await readFile(join(own, 'package.json'), 'utf8')) as ModulePackage & {
    readonly version: string
  }
  const target = join(folder, 'node_modules/node')
  await mkdir(join(target, 'bin'), { recursive: true })
  await writeFile(join(target, 'package.json'), JSON.stringify({ name, version, bin }))
  const program = join(own, 'bin/node')
  await link(program, join(target, 'bin/node')).catch(() => symlink(program, join(target, 'bin/node')))
  await linkBin(folder, 'node', join(target, 'bin/node'))
}
