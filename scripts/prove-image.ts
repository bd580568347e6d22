// Replays the Dockerfile without a container engine: its stages become folders, its instructions run in their order, and the
// service of the last stage is started as its user on a file system that cannot be written but for its data, asked for its health,
// called, backed up, stopped, and started again.
//
// It is no container: the system around it is this machine's, with the Node that runs this script. What it proves is that
// the files that are copied, the commands that are run and the rights that are given suffice. It needs the npm registry, and
// root for the mounts and the user.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { confine } from './confine.ts'
import { findInstruction, readCommand, readCopy, readDockerfile, readVariables, type Stage } from './dockerfile.ts'

const project = join(import.meta.dirname, '..')
const root = mkdtempSync(join(tmpdir(), 'lllm-image-'))
const context = join(root, 'context')
const workdir = '/app'
const passive = new Set(['WORKDIR', 'ENV', 'USER', 'VOLUME', 'EXPOSE', 'HEALTHCHECK', 'CMD'])

const folderOf = (stage: string) => join(root, 'stages', stage === '' ? 'image' : stage)

function say(text: string) {
  process.stdout.write(`${text}\n`)
}

/** What `docker build` would be sent: everything that .dockerignore does not keep back. */
function makeContext() {
  mkdirSync(context)
  const ignored = readFileSync(join(project, '.dockerignore'), 'utf8').split('\n').filter(Boolean)
  const options = ['--anchored', '--no-wildcards-match-slash', ...ignored.map((pattern) => `--exclude=./${pattern}`)]
  const archive = join(root, 'context.tar')
  execFileSync('tar', ['-C', project, ...options, '-cf', archive, '.'])
  execFileSync('tar', ['-C', context, '-xf', archive])
}

/** Our Node goes first, as it is the only one in the image. */
const path = `${join(root, 'bin')}:${process.env['PATH']}`
/** For building: how this machine reaches the registry counts, but what npm fetches is kept in a folder of its own. */
const buildEnv = { ...process.env, PATH: path, npm_config_cache: join(root, 'npm-cache') }

function copy(stage: Stage, text: string) {
  const { from, sources, target } = readCopy(text)
  for (const source of sources) {
    const path = from === undefined ? join(context, source) : join(folderOf(from), source.replace(`${workdir}/`, ''))
    const intoFolder = target.endsWith('/') && source !== '.'
    cpSync(path, join(folderOf(stage.name), target, intoFolder ? basename(source) : ''), { recursive: true })
  }
}

function run(stage: Stage, command: string) {
  // This machine may have no user `node`; whose the data are is settled when the image is confined.
  const here = command.replaceAll('node:node', `${process.getuid?.()}`)
  const { status } = spawnSync('sh', ['-c', here], {
    cwd: folderOf(stage.name),
    env: buildEnv,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (status !== 0) throw new Error(`RUN ${command} ended with ${status}.`)
}

function build(stage: Stage) {
  say(`FROM ${stage.base} ${stage.name}`)
  mkdirSync(folderOf(stage.name), { recursive: true })
  for (const { name, text } of stage.instructions) {
    const startedAtMs = performance.now()
    if (name === 'COPY') copy(stage, text)
    else if (name === 'RUN') run(stage, text)
    else if (!passive.has(name)) throw new Error(`This script does not know ${name}.`)
    say(`  ${name} ${text.slice(0, 80)} (${Math.round(performance.now() - startedAtMs)} ms)`)
  }
}

/** The image as it stands on this machine: its folder, its variables, and what its commands are started in. */
function unpack(image: Stage) {
  const folder = folderOf(image.name)
  const [uid = 0, gid = 0] = findInstruction(image, 'USER').split(':').map(Number)
  const variables = readVariables(findInstruction(image, 'ENV'))
  const env: Record<string, string> = {
    PATH: path,
    HOME: '/nonexistent',
    ...Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, value.replace(workdir, folder)])),
    LLLM_PORT: '18080',
  }
  return { image, folder, env, confinement: confine(folder, { uid, gid }), url: `http://127.0.0.1:${env['LLLM_PORT']}` }
}

type Unpacked = ReturnType<typeof unpack>

/** Starts the image's command, and waits until it listens. */
async function start({ image, folder, env, confinement }: Unpacked) {
  const [name = '', ...rest] = readCommand(findInstruction(image, 'CMD'))
  const { file, args } = confinement.wrap({ file: name, args: rest })
  const service = spawn(file, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: service.stdout })) {
    say(`  ${line}`)
    if (line.includes('"msg":"listening"')) return service
  }
  throw new Error('The service ended before it listened.')
}

/** Runs a command beside it, as `docker exec` would. Gives its exit code and what it wrote. */
function runBeside({ folder, env, confinement }: Unpacked, [name = '', ...rest]: readonly string[]) {
  const { file, args } = confinement.wrap({ file: name, args: rest })
  const { status, stdout } = spawnSync(file, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] })
  return { status, stdout: stdout.toString().trim() }
}

const lllm = (unpacked: Unpacked, ...args: readonly string[]) =>
  runBeside(unpacked, ['node', 'dist/src/cli/lllm.js', ...args])

const checkHealth = (unpacked: Unpacked) =>
  runBeside(unpacked, readCommand(findInstruction(unpacked.image, 'HEALTHCHECK'))).status

/** Starts it, does something with it, and ends it as an engine does, however that went. */
async function whileServing(unpacked: Unpacked, work: () => Promise<void>) {
  const service = await start(unpacked)
  try {
    await work()
  } finally {
    service.kill('SIGTERM')
  }
  const [code] = await once(service, 'close')
  expectThat(code === 0, 'it ends with 0 on SIGTERM')
}

function expectThat(isSo: boolean, what: string) {
  if (!isSo) throw new Error(`Not so: ${what}`)
  say(`  ok: ${what}`)
}

async function prove(image: Stage) {
  const unpacked = unpack(image)
  const { folder, url, confinement } = unpacked
  say(`Serving from ${confinement.told}`)
  const { status, stdout: key } = lllm(unpacked, 'keys', 'create', '--name', 'first')
  expectThat(status === 0 && key !== '', 'a key is made')
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` }
  await whileServing(unpacked, async () => {
    expectThat(checkHealth(unpacked) === 0, 'the health check passes while it serves')
    expectThat((await fetch(`${url}/tactics`)).status === 401, 'nobody calls without a key')
    const body = JSON.stringify({ task: 'Bees dance to tell each other where flowers are.' })
    const answer = await fetch(`${url}/tactics/summarizer`, { method: 'POST', headers, body })
    expectThat(answer.status === 200, `a call is answered: ${await answer.text()}`)
    expectThat((await fetch(`${url}/readyz`)).status === 200, 'it is ready')
    expectThat((await fetch(`${url}/docs/errors/draining`)).status === 200, 'the pages of the errors are there')
    expectThat(existsSync(join(folder, 'data/lllm.db')), 'the sessions are in /app/data')
    expectThat(lllm(unpacked, 'db', 'backup', 'data/backup.db').status === 0, 'a backup is written while it serves')
    expectThat(!existsSync(join(folder, 'node_modules/vitest')), 'the development tools are not in the image')
  })
  expectThat(checkHealth(unpacked) === 1, 'the health check fails when it has ended')
  await whileServing(unpacked, async () => {
    const sessions = (await (await fetch(`${url}/sessions`, { headers })).json()) as {
      readonly data: readonly unknown[]
    }
    expectThat(sessions.data.length === 1, 'after a restart the session is there')
  })
  const size = execFileSync('du', ['-sm', folder]).toString().split('\t')[0]
  say(`${workdir} holds ${size} MB.`)
}

try {
  chmodSync(root, 0o755)
  mkdirSync(join(root, 'bin'))
  copyFileSync(process.execPath, join(root, 'bin/node'))
  makeContext()
  const stages = readDockerfile(readFileSync(join(project, 'Dockerfile'), 'utf8'))
  for (const stage of stages) build(stage)
  const image = stages.at(-1)
  if (image !== undefined) await prove(image)
} finally {
  rmSync(root, { recursive: true, force: true })
}
