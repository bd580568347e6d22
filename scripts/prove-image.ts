// Replays the Dockerfile without a container engine: its stages become folders, its instructions run in their order, and the
// service of the last stage is started, asked for its health, called, and stopped. As root, the service runs as `nobody`.
//
// It is no container: the system around it is this machine's, with the Node that runs this script. What it proves is that
// the files that are copied, the commands that are run and the rights that are given suffice. It needs the npm registry.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { findInstruction, readCommand, readCopy, readDockerfile, readVariables, type Stage } from './dockerfile.ts'

const project = join(import.meta.dirname, '..')
const root = mkdtempSync(join(tmpdir(), 'lllm-image-'))
const context = join(root, 'context')
const workdir = '/app'
const nobody = 65_534
const owner = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {}
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
  // The user `node` is the one that the service runs as.
  const here = command.replaceAll('node:node', `${owner.uid ?? process.getuid?.()}`)
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

/** Starts the image's command as its user would, in a folder that it cannot write to. */
async function start(image: Stage) {
  const folder = folderOf(image.name)
  execFileSync('chmod', ['-R', 'a-w,a+rX', folder])
  execFileSync('chmod', ['u+w', join(folder, 'data')])
  const variables = readVariables(findInstruction(image, 'ENV'))
  const env: Record<string, string> = {
    PATH: path,
    ...Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, value.replace(workdir, folder)])),
    LLLM_PORT: '18080',
  }
  const [command = '', ...args] = readCommand(findInstruction(image, 'CMD'))
  const service = spawn(command, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'], ...owner })
  for await (const line of createInterface({ input: service.stdout })) {
    say(`  ${line}`)
    if (line.includes('"msg":"listening"')) return { service, folder, env, url: `http://127.0.0.1:${env['LLLM_PORT']}` }
  }
  throw new Error('The service ended before it listened.')
}

function checkHealth(image: Stage, { folder, env }: Awaited<ReturnType<typeof start>>): number | null {
  const [command = '', ...args] = readCommand(findInstruction(image, 'HEALTHCHECK'))
  return spawnSync(command, args, { cwd: folder, env, stdio: 'inherit', ...owner }).status
}

function expectThat(isSo: boolean, what: string) {
  if (!isSo) throw new Error(`Not so: ${what}`)
  say(`  ok: ${what}`)
}

async function prove(image: Stage) {
  const started = await start(image)
  const { service, folder, url } = started
  try {
    expectThat(checkHealth(image, started) === 0, 'the health check passes while it serves')
    const answer = await fetch(`${url}/tactics/summarizer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ task: 'Bees dance to tell each other where flowers are.' }),
    })
    expectThat(answer.status === 200, `a call is answered: ${await answer.text()}`)
    expectThat((await fetch(`${url}/docs/errors/draining`)).status === 200, 'the pages of the errors are there')
    expectThat(existsSync(join(folder, 'data/lllm.db')), 'the sessions are in /app/data')
    expectThat(!existsSync(join(folder, 'node_modules/vitest')), 'the development tools are not in the image')
  } finally {
    service.kill('SIGTERM')
  }
  const [code] = await once(service, 'close')
  expectThat(code === 0, 'it ends with 0 on SIGTERM')
  expectThat(checkHealth(image, started) === 1, 'the health check fails when it has ended')
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
