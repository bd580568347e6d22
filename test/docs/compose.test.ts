import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { findInstruction, readDockerfile, readVariables, type Stage } from '../../scripts/dockerfile.ts'
import { documentedSettings, readSettings } from '../../src/settings.ts'
import { readText } from './markdown.ts'

interface Service {
  readonly image: string
  readonly build?: string
  readonly container_name?: string
  readonly environment: Readonly<Record<string, string | null>>
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly restart?: string
  readonly stop_grace_period?: string
  readonly read_only?: boolean
  readonly tmpfs?: readonly string[]
  readonly cap_drop?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly networks?: readonly string[]
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, null>>
  readonly networks: Readonly<Record<string, null>>
}

// There is no engine that could start it here: what it names is compared with what there is.
const text = readText('compose.yaml')
const { services, volumes, networks } = parse(text, { merge: true }) as Compose
const { postgres, server, worker } = services as Record<'postgres' | 'server' | 'worker', Service>
const image = readDockerfile(readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8')).at(-1) as Stage

/** The settings that a service starts with, where nothing else is set. */
function settingsOf({ environment }: Service) {
  return readSettings(
    Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, value ?? undefined])),
  )
}

test('sets only what a service knows, to values that it takes, and the password of its database', () => {
  const known = [...documentedSettings.flatMap(({ variables }) => variables), 'PGPASSWORD']
  for (const { environment } of [server, worker]) {
    expect(known).toEqual(expect.arrayContaining(Object.keys(environment)))
  }
  expect([settingsOf(server), settingsOf(worker)]).toMatchObject([
    { role: 'server', warnings: [] },
    { role: 'worker', warnings: [] },
  ])
})

test('gives all services the database, user and password that PostgreSQL is made with', () => {
  const { POSTGRES_USER: user, POSTGRES_DB: name, POSTGRES_PASSWORD: password } = postgres.environment
  for (const { environment } of [server, worker]) {
    const { protocol, hostname, port, username, pathname } = new URL(String(environment['LLLM_DATABASE']))
    expect({ protocol, hostname, port, username, pathname }).toEqual({
      protocol: 'postgres:',
      hostname: 'postgres',
      port: '5432',
      username: user,
      pathname: `/${name}`,
    })
    expect(environment['PGPASSWORD']).toBe(password)
  }
  expect(postgres.healthcheck?.test).toEqual(
    expect.arrayContaining(['pg_isready', `--username=${user}`, `--dbname=${name}`]),
  )
})

test('has no secret in it, and refuses to start without one', () => {
  expect(postgres.environment['POSTGRES_PASSWORD']).toMatch(/^\$\{POSTGRES_PASSWORD:\?.+\}$/)
  expect(server.environment).toMatchObject({ OPENAI_API_KEY: null, OPENAI_BASE_URL: null })
})

test('builds the image of the Dockerfile, and waits for the database to be healthy', () => {
  for (const { image: name, build, depends_on } of [server, worker]) {
    expect({ name, build }).toEqual({ name: 'lllm', build: '.' })
    expect(depends_on).toEqual({ postgres: { condition: 'service_healthy' } })
  }
  expect(Number(/^postgres:(\d+)$/.exec(postgres.image)?.[1])).toBeGreaterThanOrEqual(14)
})

test('can have several of each: no names, no single port, and none that the network reaches', () => {
  const container = findInstruction(image, 'EXPOSE')
  expect(server.ports).toEqual([expect.stringMatching(new RegExp(`^127\\.0\\.0\\.1:\\d+-\\d+:${container}$`))])
  expect(worker.ports).toBeUndefined()
  for (const { container_name } of Object.values(services)) expect(container_name).toBeUndefined()
  const { port, open } = settingsOf(server)
  // Otherwise it would listen inside of its container only, until there is a key.
  expect(open).toBe(true)
  expect(String(port)).toBe(container)
  expect(readVariables(findInstruction(image, 'ENV'))).toMatchObject({ LLLM_HOST: '0.0.0.0' })
})

test('is open to this machine alone: to no page that a browser shows there, and to no container that is added', () => {
  expect(settingsOf(server)).toMatchObject({ open: true, allowedHosts: ['localhost'], corsOrigins: undefined })
  expect(settingsOf(worker).open).toBe(false)
  expect(Object.keys(networks)).toEqual(['lllm'])
  for (const { networks: own } of Object.values(services)) expect(own).toEqual(['lllm'])
})

test('keeps the data in a volume, and gives each process the time to end well', () => {
  const [mount = ''] = postgres.volumes ?? []
  expect(Object.keys(volumes)).toContain(mount.split(':')[0])
  expect(mount).toMatch(/:\/var\/lib\/postgresql\/data$/)
  for (const service of [server, worker]) {
    expect(Number.parseInt(service.stop_grace_period ?? '', 10) * 1_000).toBeGreaterThan(settingsOf(service).graceMs)
  }
  for (const { restart } of Object.values(services)) expect(restart).toBe('unless-stopped')
})

test('gives a service nothing to write to but a /tmp, and no rights', () => {
  for (const { read_only, tmpfs, cap_drop, security_opt } of [server, worker]) {
    expect({ read_only, tmpfs, cap_drop, security_opt }).toEqual({
      read_only: true,
      tmpfs: ['/tmp'],
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    })
  }
})
