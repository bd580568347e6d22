import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, matchesGlob } from 'node:path'
import { parse } from 'smol-toml'
import { describe, expect, test } from 'vitest'
import {
  findInstruction,
  readCommand,
  readCopy,
  readDockerfile,
  readVariables,
  type Stage,
} from '../../scripts/dockerfile.ts'
import { projectFolder } from './support/service.ts'
import { spawnService } from './support/spawned-service.ts'

const read = (path: string) => readFileSync(join(projectFolder, path), 'utf8')

// `scripts/prove-image.ts` replays the whole Dockerfile; it takes minutes and the npm registry. Here is what needs neither.
const stages = readDockerfile(read('Dockerfile'))
const image = stages.at(-1) as Stage
const ignored = read('.dockerignore').split('\n').filter(Boolean)

const copies = stages.flatMap(({ instructions }) =>
  instructions.filter(({ name }) => name === 'COPY').map(({ text }) => readCopy(text)),
)

describe('the Dockerfile', () => {
  test('copies only what is there and is not kept back by .dockerignore', () => {
    const sources = copies.filter(({ from }) => from === undefined).flatMap((copy) => copy.sources)
    expect(sources).toContain('package-lock.json')
    for (const source of sources) {
      expect(existsSync(join(projectFolder, source)), source).toBe(true)
      expect(ignored.filter((pattern) => matchesGlob(source, pattern))).toEqual([])
    }
  })

  test('copies from stages that there are', () => {
    const names = stages.map(({ name }) => name)
    for (const { from } of copies) if (from !== undefined) expect(names).toContain(from)
  })

  test('brings all folders of the package that is served', () => {
    const manifest = parse(read('lllm.toml')) as Readonly<Record<string, { readonly paths?: readonly string[] }>>
    const folders = Object.values(manifest).flatMap(({ paths = [] }) => paths.map((path) => path.replace(/\/$/, '')))
    const brought = image.instructions.flatMap(({ name, text }) => (name === 'COPY' ? readCopy(text).sources : []))
    expect(folders.length).toBeGreaterThan(0)
    expect(brought).toEqual(expect.arrayContaining([...folders, 'lllm.toml', 'package.json']))
  })

  test('runs the version of Node that the tests run on, and not as root', () => {
    const [major] = process.versions.node.split('.')
    for (const { base } of stages) expect(base).toBe(`node:${major}-slim`)
    // By number: Kubernetes refuses a name where it has to see that it is not root.
    expect(findInstruction(image, 'USER')).toMatch(/^[1-9]\d*:[1-9]\d*$/)
  })

  test('starts the compiled form of what npm start runs', () => {
    const [command, ...args] = readCommand(findInstruction(image, 'CMD'))
    expect(command).toBe('node')
    const flags = args.filter((arg) => arg.startsWith('--'))
    const { start } = (JSON.parse(read('package.json')) as { scripts: { start: string } }).scripts
    for (const flag of flags) expect(start.split(' ')).toContain(flag)
    const [file] = args.slice(flags.length)
    expect(
      existsSync(
        join(
          projectFolder,
          String(file)
            .replace(/^dist\//, '')
            .replace(/js$/, 'ts'),
        ),
      ),
    ).toBe(true)
  })

  test('has a health check that passes as long as the service answers', async () => {
    const service = await spawnService()
    const [, ...args] = readCommand(findInstruction(image, 'HEALTHCHECK'))
    const { port } = new URL(service.url)
    const check = (env: Record<string, string>) => spawnSync(process.execPath, args, { env }).status
    expect(check({ LLLM_PORT: port })).toBe(0)
    expect(check({ PORT: port })).toBe(0)
    service.kill('SIGTERM')
    await service.exited
    expect(check({ LLLM_PORT: port })).toBe(1)
    expect(readVariables(findInstruction(image, 'ENV'))).toMatchObject({ LLLM_HOST: '0.0.0.0' })
  })
})
