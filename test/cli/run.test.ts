import { closeSync, openSync } from 'node:fs'
import { PassThrough, Readable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { withInterrupts } from '../../src/cli/interrupts.ts'
import { openSessionStore } from '../../src/stores/open-session-store.ts'
import { config, writePackage } from '../e2e/support/package.ts'
import { scripted, usage } from '../e2e/support/service.ts'
import { databaseFiles } from '../support/database-files.ts'
import { hang, says, status } from '../support/scripted-provider.ts'
import { spawnLllm } from './support/spawn-lllm.ts'
import { createTestShell, runLllm } from './support/test-shell.ts'

const files = databaseFiles()

async function storedSession(database: string, id: string) {
  const store = await openSessionStore(database)
  try {
    return await store.get(id)
  } finally {
    await store.close()
  }
}

function sessionIdIn(stderr: string): string {
  return /session (\S+)$/m.exec(stderr)?.[1] ?? ''
}

describe('lllm run', () => {
  test('prints the result alone, and one line about the call beside it', async () => {
    const provider = await scripted([says('Bees dance.', { usage })])
    const database = files.newPath()
    const { code, stdout, stderr } = await runLllm(['run', 'summarizer', 'bees', '--tag', 'team=docs'], {
      provider,
      database,
    })
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'Bees dance.\n' })
    expect(stderr).toMatch(/^success: \d+ ms, 1 agent call, 1,100 tokens, \$0\.003500, session [0-9a-f-]{36}\n$/)
    expect(provider.requests[0]).toMatchObject({ lastText: expect.stringContaining('bees') })
    // Nobody follows the reply, so that it need not be streamed.
    expect(provider.requests[0]?.body['stream']).not.toBe(true)
    expect(await storedSession(database, sessionIdIn(stderr))).toMatchObject({
      state: 'success',
      tags: { team: 'docs' },
    })
  })

  test('prints JSON where the result is no text', async () => {
    const findings = { findings: [] }
    const review = { summary: 'Fine.', verdict: 'approve', findings: [] }
    const provider = await scripted([says(JSON.stringify(findings)), says(JSON.stringify(review))])
    const { code, stdout } = await runLllm(['run', 'code_review', '{"code": "let a"}'], { provider })
    expect({ code, result: JSON.parse(stdout) }).toEqual({ code: 0, result: review })
  })

  test('gives the cost with --json, and the whole session with --session', async () => {
    const provider = await scripted(() => says('Bees.', { usage }))
    const short = JSON.parse((await runLllm(['run', 'summarizer', 'bees', '--json'], { provider })).stdout)
    expect(short).toEqual({ result: 'Bees.', session_id: expect.any(String), cost_usd: 0.0035 })
    const whole = JSON.parse((await runLllm(['run', 'summarizer', 'bees', '--session'], { provider })).stdout)
    expect(whole).toMatchObject({
      result: 'Bees.',
      cost_usd: 0.0035,
      session: { id: whole.session_id, state: 'success', agent_calls: [{ agent: 'writer' }] },
    })
  })

  test('says that a model is simulated, on the standard error', async () => {
    const { code, stdout, stderr } = await runLllm(['run', 'summarizer', 'bees'])
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('[simulated]') })
    expect(stderr).toMatch(/^lllm: No OPENAI_API_KEY .* simulated model/)
  })
})

describe('the task comes through a pipe', () => {
  test.each([
    { from: 'nothing is given', args: [], stdin: 'bees\n', told: 'bees' },
    { from: '- is given', args: ['-'], stdin: 'bees\r\nand wasps\r\n', told: 'bees\r\nand wasps' },
  ])('when $from', async ({ args, stdin, told }) => {
    const provider = await scripted(['Done.'])
    expect(await runLllm(['run', 'summarizer', ...args], { provider, stdin })).toMatchObject({ code: 0 })
    expect(provider.requests[0]?.lastText.endsWith(told)).toBe(true)
  })

  test.each([
    { what: 'nothing', stdin: '', told: 'the standard input is empty' },
    { what: 'only the end of a line', stdin: '\n', told: 'the standard input is empty' },
    { what: 'more than its bound', stdin: 'a'.repeat(10 * 1024 * 1024 + 1), told: 'more than 10485760 bytes' },
  ])('and $what is a mistake', async ({ stdin, told }) => {
    const { code, stdout, stderr } = await runLllm(['run', 'summarizer', '-'], { stdin })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(told)
  })

  test('and has to be UTF-8', async () => {
    const stdin = Readable.from([Buffer.from([0xc3, 0x28])])
    expect(await runLllm(['run', 'summarizer'], { stdin })).toMatchObject({
      code: 2,
      stdout: '',
      stderr: 'lllm: The standard input is not UTF-8.\n',
    })
  })

  test('and is not waited for at a terminal', async () => {
    const { code, stderr } = await runLllm(['run', 'summarizer'], { terminal: true })
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/^lllm: There is no task\. Give it after/),
    })
  })
})

describe('what does not fit ends with exit code 2, and nothing is asked', () => {
  test.each([
    { args: ['sumarizer', 'x'], told: 'There is no tactic "sumarizer". Did you mean "summarizer"?' },
    { args: ['summarizer', 'x', '--config', 'proo'], told: 'has no config "proo"' },
    { args: ['code_review', 'x'], told: 'takes no plain text.\nIt takes: { code: string, language?: string, focus?' },
    { args: ['code_review', '{"code": 1}'], told: '/code: Invalid input: expected string' },
    { args: ['code_review', '{"code": "", "__proto__": {}}'], told: 'has the key "__proto__"' },
    { args: ['code_review', `${'['.repeat(200)}${']'.repeat(200)}`], told: 'nests deeper than 100 levels' },
    { args: ['summarizer', 'x', '--budget', '0'], told: 'more than 0 and at most 1000000' },
    { args: ['summarizer', 'x', '--budget', '1e3'], told: 'more than 0 and at most 1000000' },
    { args: ['summarizer', 'x', '--timeout-ms', '0'], told: 'a whole number from 1 to 86400000' },
    { args: ['summarizer', 'x', '--tag', 'team'], told: 'A tag is written as key=value.' },
    { args: ['summarizer', 'x', '--tag', 'a=1', '--tag', 'a=2'], told: 'The tag a is given twice.' },
    { args: ['summarizer', 'x', '--tag', 'a b=1'], told: 'must fit [A-Za-z0-9_.-]{1,64}' },
    { args: ['summarizer', 'x', 'y'], told: "too many arguments for 'run'" },
    { args: ['summarizer', 'x', '--strem'], told: 'Did you mean --stream?' },
    { args: [], told: "missing required argument 'tactic'" },
  ])('$args', async ({ args, told }) => {
    const provider = await scripted([])
    const { code, stdout, stderr } = await runLllm(['run', ...args], { provider })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(told)
    expect(stderr).not.toMatch(/^\s+at /m)
    expect(provider.requests).toEqual([])
  })
})

describe('a call that fails', () => {
  test('says why, and in which session, and prints no result', async () => {
    const provider = await scripted([status(400)])
    const database = files.newPath()
    const { code, stdout, stderr } = await runLllm(['run', 'summarizer', 'bees'], { provider, database })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^lllm: .*refused.*\nfailure: .*, session \S+\n$/)
    expect(stderr).not.toContain('SECRET')
    expect(await storedSession(database, sessionIdIn(stderr))).toMatchObject({ state: 'failure' })
  })

  test('is JSON where that was asked for', async () => {
    const provider = await scripted([status(400)])
    const { code, stdout } = await runLllm(['run', 'summarizer', 'bees', '--json'], { provider })
    expect({ code, answer: JSON.parse(stdout) }).toEqual({
      code: 1,
      answer: {
        error: { code: 'provider-rejected', message: expect.any(String) },
        session_id: expect.any(String),
        cost_usd: 0,
      },
    })
  })

  test.each([
    { limit: 'its budget', args: ['--budget', '0.000001'], told: 'The limit of the call of "summarizer"' },
    { limit: 'its time', args: ['--timeout-ms', '50'], told: 'The call was stopped: deadline.' },
  ])('because of $limit ends with exit code 3', async ({ args, told }) => {
    const provider = await scripted(() => hang())
    const { code, stdout, stderr } = await runLllm(['run', 'summarizer', 'bees', ...args], { provider })
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
    expect(stderr).toContain(told)
  })

  test('with an exception in the code of the tactic shows what was thrown, and where only when asked', async () => {
    const folder = await writePackage({
      'tactics/broken.ts': `import { Tactic } from 'lllm'
export default class extends Tactic({ name: 'broken', agents: ['writer'] }) {
  async call(task) { throw new RangeError('too \\x1b[2J busy') }
}
`,
      'configs/broken.yaml': config('broken', { writer: 'You write.' }),
    })
    const { code, stderr } = await runLllm(['run', 'broken', 'x'], { folder })
    expect(code).toBe(1)
    expect(stderr).toContain('RangeError: too \\u001b[2J busy\n')
    expect(stderr).not.toMatch(/^\s+at /m)
    const debug = await runLllm(['run', 'broken', 'x'], { folder, env: { LLLM_LOG_LEVEL: 'debug' } })
    expect(debug.stderr).toMatch(/^\s+at .*broken\.ts/m)
  })
})

test('a reader who goes away in the middle of a call cancels it, and its session is stored', async () => {
  const provider = await scripted(() => hang())
  const database = files.newPath()
  const shell = createTestShell({ provider, database })
  const running = runLllm(['run', 'summarizer', 'bees', '--stream'], shell)
  await provider.until(({ inFlight }) => inFlight === 1)
  shell.interrupt('pipe-closed')
  // Once more, for what was written since.
  shell.interrupt('pipe-closed')
  const { code, stderr } = await running
  expect(code).toBe(141)
  await provider.until(({ aborted }) => aborted === 1)
  expect(await storedSession(database, sessionIdIn(stderr))).toMatchObject({ state: 'cancelled' })
})

describe('Ctrl-C', () => {
  test.each([
    { signal: 'SIGINT', code: 130 },
    { signal: 'SIGTERM', code: 143 },
  ] as const)(
    '($signal) closes the socket of the provider and stores the session as cancelled',
    async ({ signal, code }) => {
      const provider = await scripted(() => hang())
      const database = files.newPath()
      const shell = createTestShell({ provider, database })
      const running = runLllm(['run', 'summarizer', 'bees'], shell)
      await provider.until(({ inFlight }) => inFlight === 1)
      expect(shell.interrupt(signal)).toBe(1)
      const { stdout, stderr, ...ended } = await running
      expect({ ...ended, stdout }).toEqual({ code, stdout: '' })
      expect(stderr).toMatch(/^lllm: Cancelling\..*\nlllm: The call was stopped: cancelled\.\ncancelled: /)
      await provider.until(({ aborted }) => aborted === 1)
      expect(await storedSession(database, sessionIdIn(stderr))).toMatchObject({
        state: 'cancelled',
        end_reason: 'cancelled',
      })
      // Nobody listens any more.
      expect(shell.interrupt()).toBe(0)
    },
  )

  test('ends a command that still waits for its task', async () => {
    const shell = createTestShell({ stdin: new PassThrough() })
    const running = runLllm(['run', 'summarizer'], shell)
    while (shell.interrupt() === 0) await nextTurn()
    expect(await running).toMatchObject({ code: 130, stdout: '' })
  })

  test('twice waits for nothing', async () => {
    const shell = createTestShell()
    let asked = 0
    const ending = withInterrupts(shell, [() => void asked++], () => new Promise(() => {}))
    shell.interrupt()
    expect(asked).toBe(1)
    shell.interrupt()
    expect(await ending).toBe(130)
  })
})

describe('as a process of its own', () => {
  test('it ends on a real SIGINT without a stack trace', async () => {
    const provider = await scripted(() => hang())
    const running = spawnLllm(['run', 'summarizer', 'bees'], { provider })
    await provider.until(({ inFlight }) => inFlight === 1)
    running.kill('SIGINT')
    const { code, stdout, stderr } = await running.exited
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' })
    expect(stderr).toMatch(/^lllm: Cancelling\./)
    expect(stderr).not.toMatch(/^\s+at /m)
  })

  test('it keeps what a tactic prints away from its result', async () => {
    const folder = await writePackage({
      'tactics/chatty.ts': `import { Tactic } from 'lllm'
export default class extends Tactic({ name: 'chatty', agents: ['writer'] }) {
  async call(task) { console.log('I am here'); return task }
}
`,
      'configs/chatty.yaml': config('chatty', { writer: 'You write.' }),
    })
    const { code, stdout, stderr } = await spawnLllm(['run', 'chatty', 'bees'], { folder }).exited
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'bees\n' })
    expect(stderr).toMatch(/^I am here$/m)
  })

  test.runIf(process.platform === 'linux')('it says that its result could not be written', async () => {
    const full = openSync('/dev/full', 'w')
    onTestFinished(() => closeSync(full))
    const { code, stderr } = await spawnLllm(['run', 'summarizer', 'bees'], {}, { stdout: full }).exited
    expect(code).toBe(1)
    expect(stderr).toMatch(/^success: .*\nlllm: The standard output cannot be written: the disk is full\.\n$/m)
  })

  test('it ends with 141 when nobody reads its result', async () => {
    const { code, stderr } = await spawnLllm(['run', 'summarizer', 'bees', '--session'], {}, { closeStdout: true })
      .exited
    expect(code).toBe(141)
    expect(stderr).not.toMatch(/^\s+at |EPIPE/m)
  })
})
