import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createClient } from '../e2e/support/client.ts'
import { projectFolder, type ServiceSpec } from '../e2e/support/service.ts'
import { spawnProcess } from '../e2e/support/spawned-service.ts'

function lllm(args: readonly string[], spec: ServiceSpec = {}) {
  return spawnProcess(spec, [join(projectFolder, 'src/cli/lllm.ts'), ...args])
}

describe('lllm tells how it is used', () => {
  test('with --help, on the standard output', async () => {
    const { code, stdout, stderr } = await lllm(['--help']).exited
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^Usage: lllm .*^ +serve .*lllm\.toml/ms)
  })

  test('of each command', async () => {
    const { code, stdout } = await lllm(['serve', '--help']).exited
    expect(code).toBe(0)
    for (const told of ['--port <port>', '--host <address>', 'LLLM_PORT', 'LLLM_HOST']) expect(stdout).toContain(told)
  })

  test('when it is called without a command, and that is a mistake', async () => {
    const { code, stdout, stderr } = await lllm([]).exited
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^Usage: lllm /)
  })

  test('and its version, which is that of the package', async () => {
    const { version } = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8')) as { version: string }
    expect(await lllm(['--version']).exited).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' })
  })
})

describe('what it does not understand ends with exit code 2 and a hint', () => {
  test.each([
    { args: ['sreve'], told: "unknown command 'sreve'" },
    { args: ['serve', '--prot', '1'], told: "unknown option '--prot'\n(Did you mean --port?)" },
    { args: ['serve', 'everything'], told: "too many arguments for 'serve'" },
    { args: ['serve', '--port', '65536'], told: 'A port is a whole number from 0 to 65535.' },
    { args: ['serve', '--port'], told: "option '--port <port>' argument missing" },
  ])('$args', async ({ args, told }) => {
    const { code, stdout, stderr } = await lllm(args).exited
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(told)
    expect(stderr).toContain('lllm --help tells what there is.')
    expect(stderr).not.toMatch(/^\s+at /m)
  })
})

describe('lllm serve', () => {
  test('serves, with options that go before the environment, and ends on SIGTERM', async () => {
    const service = lllm(['serve', '--port', '0', '--host', '127.0.0.1'], {
      env: { LLLM_PORT: 'not a port', LLLM_HOST: 'not a host' },
    })
    const url = await service.listening
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:/)
    expect((await createClient(url).call('summarizer', 'bees')).status).toBe(200)
    service.kill('SIGTERM')
    expect(await service.exited).toMatchObject({ code: 0, stderr: '' })
  })

  test('says what is wrong where it cannot start, and ends with exit code 1', async () => {
    const { code, stdout, stderr } = await lllm(['serve'], { env: { LLLM_CONFIG: '/no/such/place' } }).exited
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toBe(
      'lllm cannot start. /no/such/place: There is no lllm.toml, where LLLM_CONFIG (or --package) says that one is.\n',
    )
  })
})
