import { execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'

const run = promisify(execFile)

interface Account {
  readonly uid?: number
  readonly gid?: number
}

/** PostgreSQL refuses to run as root. */
const account: Account | undefined = process.getuid?.() === 0 ? findAccount() : {}

/** Where the programs of a PostgreSQL are. Undefined: this machine has none that can be started. */
export const postgresFolder = account === undefined ? undefined : findPrograms()

/** The URL of a PostgreSQL that is running, whose user may create databases. Tests that crash one start their own nevertheless. */
const runningUrl = process.env['LLLM_TEST_POSTGRES']

/** Whether the user `guarded`, once there is one, has to give a password. All others need none. */
export const isGuarded = runningUrl === undefined

/** Why there is none to test with. Undefined: there is one. */
export const missingPostgres =
  postgresFolder === undefined && runningUrl === undefined
    ? 'skipped: there is no PostgreSQL on this machine that can be started, and LLLM_TEST_POSTGRES names none'
    : undefined

export interface Postgres {
  readonly url: string
  /** Ends it at once, as a crash does: whoever is connected is cut off. */
  crash(): Promise<void>
  /** Starts it again where it was. */
  start(): Promise<void>
  /** Ends it for good. */
  stop(): Promise<void>
}

/** A new and empty database, of the PostgreSQL that LLLM_TEST_POSTGRES names where it does, else of one of its own. */
export async function openDatabase(): Promise<Pick<Postgres, 'url' | 'stop'>> {
  if (runningUrl === undefined) return startPostgres()
  const name = `lllm_test_${randomUUID().replaceAll('-', '')}`
  const admin = new pg.Client({ connectionString: runningUrl })
  await admin.connect()
  await admin.query(`create database ${name}`)
  const url = new URL(runningUrl)
  url.pathname = `/${name}`
  return {
    url: url.href,
    async stop() {
      await admin.query(`drop database ${name} with (force)`)
      await admin.end()
    },
  }
}

/** A database as seen by those who work in one of its schemas. */
export function inSchema(url: string, schema: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}options=${encodeURIComponent(`-c search_path=${schema}`)}`
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
  const access = join(data, 'pg_hba.conf')
  writeFileSync(access, `local all guarded scram-sha-256\n${readFileSync(access, 'utf8')}`)
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
