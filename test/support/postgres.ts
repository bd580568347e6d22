import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

interface Account {
  readonly uid?: number
  readonly gid?: number
}

/** PostgreSQL refuses to run as root. */
const account: Account | undefined = process.getuid?.() === 0 ? findAccount() : {}

/** Where the programs of a PostgreSQL are. Undefined: this machine has none that can be started. */
export const postgresFolder = account === undefined ? undefined : findPrograms()

export interface Postgres {
  readonly url: string
  /** Ends it at once, as a crash does: whoever is connected is cut off. */
  crash(): Promise<void>
  /** Starts it again where it was. */
  start(): Promise<void>
  /** Ends it for good. */
  stop(): Promise<void>
}

/** A new and empty PostgreSQL, at a socket in a folder of its own. */
export async function startPostgres(): Promise<Postgres> {
  if (postgresFolder === undefined) throw new Error('There is no PostgreSQL on this machine.')
  const folder = mkdtempSync(join(tmpdir(), 'lllm-postgres-'))
  const data = join(folder, 'data')
  const { uid, gid } = account ?? {}
  if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid)
  await run(join(postgresFolder, 'initdb'), ['-D', data, '-A', 'trust', '-U', 'postgres', '-N'], {
    ...account,
    cwd: folder,
  })
  let crash = await launch(postgresFolder, folder)
  return {
    url: `postgres://postgres@/postgres?host=${encodeURIComponent(folder)}`,
    crash: () => crash(),
    async start() {
      crash = await launch(postgresFolder, folder)
    },
    async stop() {
      await crash()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Starts a server on the data that is there, and gives what ends it. */
async function launch(programs: string, folder: string): Promise<() => Promise<void>> {
  const server = [join(programs, 'postgres'), '-D', join(folder, 'data'), '-k', folder, '-c', 'listen_addresses=', '-F']
  // It ends with its standard input, and that with this process, however this process ends.
  const script = '"$@" & server=$!; read -r line; kill -QUIT $server; wait $server'
  const child = spawn('sh', ['-c', script, 'sh', ...server], {
    ...account,
    cwd: folder,
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  const ended = once(child, 'exit')
  let log = ''
  const ready = new Promise<void>((resolve) => {
    child.stderr.on('data', (piece) => {
      log += piece
      if (log.includes('ready to accept connections')) resolve()
    })
  })
  const failed = ended.then(() => Promise.reject(new Error(`PostgreSQL ended: ${log.slice(-1_000)}`)))
  await Promise.race([ready, failed])
  failed.catch(() => {})
  return async () => {
    child.stdin.end()
    await ended
  }
}

function findPrograms(): string | undefined {
  const debian = '/usr/lib/postgresql'
  const installed = existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, 'bin')) : []
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/bin', ...installed]
  return folders.find((folder) => ['initdb', 'postgres'].every((program) => existsSync(join(folder, program))))
}

function findAccount(): Account | undefined {
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  const [, , uid, gid] = ['postgres', 'nobody'].flatMap((name) => accounts.find(([known]) => known === name) ?? [])
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) }
}
