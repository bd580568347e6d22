import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openProgressView, Progress, tellProgress } from '../../src/cli/batch/progress.ts'
import { Screen } from '../../src/cli/run/live-view-screen.ts'
import { costOf } from '../../src/domain/cost.ts'
import { openSessionStore } from '../../src/stores/open-session-store.ts'
import { replyUsd, scripted, usage } from '../e2e/support/service.ts'
import { hang, says, status } from '../support/scripted-provider.ts'
import { spawnLllm } from './support/spawn-lllm.ts'
import { createTestShell, runLllm } from './support/test-shell.ts'

/** A folder with files in it, which is removed after the test. */
async function folderWith(files: Readonly<Record<string, string>>): Promise<(name: string) => string> {
  const folder = await mkdtemp(join(tmpdir(), 'lllm-batch-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return (name) => join(folder, name)
}

const jsonLines = (tasks: readonly unknown[]) => tasks.map((task) => `${JSON.stringify(task)}\n`).join('')
const linesOf = (text: string) =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
const linesIn = (path: string) => linesOf(readFileSync(path, 'utf8'))

/** Replies with the last word that was asked. */
const echo = ({ lastText }: { readonly lastText: string }) => says(lastText.split(/\s/).at(-1) ?? '', { usage })

describe('lllm batch', () => {
  test('prints a line of JSON for each task as it ends, with what it cost', async () => {
    const provider = await scripted(echo)
    const stdin = '"a"\n\n  \r\n"b"\r\n"c"'
    const { code, stdout, stderr } = await runLllm(['batch', 'summarizer', '-', '--max-workers', '1'], {
      provider,
      stdin,
    })
    expect(code).toBe(0)
    expect(linesOf(stdout)).toEqual(
      ['a', 'b', 'c'].map((result, index) => ({
        ...{ index, status: 'success', result, cost_usd: replyUsd },
        session_id: expect.any(String),
        hash: expect.stringMatching(/^[0-9a-f]{16}-[0-9a-f]{16}$/),
      })),
    )
    expect(stderr).toMatch(/^3 tasks: 3 success, 0 failure, \$0\.010500, \d+ ms\n$/)
  })

  test('keeps to its workers and writes in the order of completion', async () => {
    const provider = await scripted(async (request) => {
      if (request.lastText.endsWith('slow')) await provider.until(({ requests }) => requests.length === 4)
      return echo(request)
    })
    const at = await folderWith({ 'tasks.jsonl': jsonLines(['slow', 'b', 'c', 'd']) })
    const args = ['batch', 'summarizer', at('tasks.jsonl'), '--out', at('out.jsonl'), '--max-workers', '2', '--json']
    const { code, stdout } = await runLllm(args, { provider })
    expect({ code, sums: JSON.parse(stdout) }).toEqual({
      code: 0,
      sums: {
        total: 4,
        done_before: 0,
        counts: { success: 4, failure: 0, cancelled: 0, skipped: 0 },
        cost_usd: 4 * replyUsd,
      },
    })
    expect(provider.inFlightMax).toBe(2)
    const indexes = linesIn(at('out.jsonl')).map(({ index }) => index)
    expect(indexes.toSorted()).toEqual([0, 1, 2, 3])
    expect(indexes.indexOf(0)).toBeGreaterThanOrEqual(2)
  })

  test('goes on after a task that fails, and ends with exit code 1', async () => {
    const provider = await scripted((request) => (request.lastText.endsWith('bad') ? status(400) : echo(request)))
    const stdin = jsonLines(['a', 'bad', 'c'])
    const { code, stdout, stderr } = await runLllm(['batch', 'summarizer', '-', '--max-workers', '1'], {
      provider,
      stdin,
    })
    expect(code).toBe(1)
    const lines = linesOf(stdout)
    expect(lines.map((line) => line.status)).toEqual(['success', 'failure', 'success'])
    expect(lines[1]).toMatchObject({ index: 1, error: { code: 'provider-rejected' }, session_id: expect.any(String) })
    expect(stderr).toContain('3 tasks: 2 success, 1 failure')
  })

  test('ends with the first failure where that is wanted, and cancels what is under way', async () => {
    const provider = await scripted(async ({ lastText }) => {
      if (!lastText.endsWith('bad')) return hang()
      await provider.until(({ inFlight }) => inFlight === 2)
      return status(400)
    })
    const stdin = jsonLines(['slow', 'bad', 'c', 'd'])
    const args = ['batch', 'summarizer', '-', '--max-workers', '2', '--fail-fast']
    const { code, stdout, stderr } = await runLllm(args, { provider, stdin })
    expect(code).toBe(1)
    expect(linesOf(stdout).map(({ index, status: state }) => [index, state])).toEqual([
      [1, 'failure'],
      [0, 'cancelled'],
    ])
    expect(stderr).toContain('4 tasks: 0 success, 1 failure, 1 cancelled, 2 not started')
    expect(provider.requests).toHaveLength(2)
    await provider.until(({ aborted }) => aborted === 1)
  })

  test('stops starting tasks once its budget is used up, and ends with exit code 3', async () => {
    const provider = await scripted(echo)
    const stdin = jsonLines(['a', 'b', 'c'])
    const args = ['batch', 'summarizer', '-', '--max-workers', '1', '--budget', '0.000001']
    const { code, stdout, stderr } = await runLllm(args, { provider, stdin })
    expect(code).toBe(3)
    expect(linesOf(stdout)).toMatchObject([{ index: 0, status: 'failure', error: { code: 'budget-exceeded' } }])
    expect(stderr).toMatch(/^lllm: The limit of the batch is \$0\.000001: .* No more tasks were started\.$/m)
    expect(stderr).toContain('2 not started')
    expect(provider.requests).toEqual([])
  })
})

describe('a batch that cannot be begun ends with exit code 2, and nothing is spent or made', () => {
  test('where lines do not fit: the first are named, the others counted', async () => {
    const bad = ['{"code": 1}', 'no json', '{"code": "a", "__proto__": {}}', ...Array(10).fill('[]')]
    const at = await folderWith({ 'tasks.jsonl': `{"code": "a"}\n\n${bad.join('\n')}\n{"code": "b"}` })
    const provider = await scripted([])
    const { code, stdout, stderr } = await runLllm(
      ['batch', 'code_review', at('tasks.jsonl'), '--out', at('out.jsonl')],
      { provider },
    )
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^lllm: Line 3 does not fit: \/code: Invalid input: expected string/)
    expect(stderr).toContain(
      '\nLine 4 is not JSON.\nLine 5 has the key "__proto__", which it must not have.\nLine 6 does',
    )
    expect(stderr).toContain('Line 12 does not fit')
    expect(stderr).not.toContain('Line 13')
    expect(stderr).toMatch(/And 3 lines more\.\nIt takes: \{ code: string, .*\n(.*\n)?Nothing was started\.\n$/)
    expect(() => statSync(at('out.jsonl'))).toThrow('ENOENT')
    expect(provider.requests).toEqual([])
  })

  test('among a hundred thousand lines as well, in a time that is short', async () => {
    const stdin = `${'"bee"\n'.repeat(99_999)}12\n`
    const startedAtMs = performance.now()
    const { code, stderr } = await runLllm(['batch', 'summarizer', '-'], { stdin })
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('Line 100000 does not fit') })
    expect(performance.now() - startedAtMs).toBeLessThan(8_000)
  })

  test.each([
    { what: 'a wrong tactic', args: ['sumarizer', 'tasks'], told: 'Did you mean "summarizer"?' },
    { what: 'a wrong config', args: ['summarizer', 'tasks', '--config', 'x'], told: 'has no config "x"' },
    { what: 'a missing file', args: ['summarizer', 'none'], told: 'cannot be read: there is no such file.' },
    { what: 'a folder', args: ['summarizer', 'folder'], told: 'cannot be read: it is a folder.' },
    { what: 'an empty file', args: ['summarizer', 'empty'], told: 'There are no tasks in ' },
    { what: 'a file that is too large', args: ['summarizer', 'large'], told: 'more than 268435456 bytes' },
    { what: 'an output that is there', args: ['summarizer', 'tasks', '--out', 'other'], told: 'Say --resume to go on' },
    {
      what: 'an output in no folder',
      args: ['summarizer', 'tasks', '--out', 'no/out'],
      told: 'its folder does not exist',
    },
    { what: 'a folder as output', args: ['summarizer', 'tasks', '--out', 'folder'], told: 'folder is a folder.' },
    {
      what: 'the tasks as output',
      args: ['summarizer', 'tasks', '--out', 'tasks', '--overwrite'],
      told: 'is the file of the tasks',
    },
    { what: 'no output to go on with', args: ['summarizer', 'tasks', '--resume'], told: '--resume takes --out' },
    { what: 'sums beside results', args: ['summarizer', 'tasks', '--json'], told: '--json takes --out' },
    { what: 'too many workers', args: ['summarizer', 'tasks', '--max-workers', '1001'], told: 'from 1 to 1000' },
    { what: 'no file', args: ['summarizer'], told: "missing required argument 'file'" },
  ])('with $what', async ({ args, told }) => {
    const at = await folderWith({ tasks: '"a"\n', other: 'precious\n', empty: '\n\n', large: '' })
    await mkdir(at('folder'))
    truncateSync(at('large'), 256 * 1024 * 1024 + 1)
    const isFile = (index: number) => index === 1 || args[index - 1] === '--out'
    const given = args.map((word, index) => (isFile(index) ? at(word) : word))
    const provider = await scripted([])
    const { code, stdout, stderr } = await runLllm(['batch', ...given], { provider })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(told)
    expect(stderr).not.toMatch(/^\s+at /m)
    expect(readFileSync(at('tasks'), 'utf8') + readFileSync(at('other'), 'utf8')).toBe('"a"\nprecious\n')
  })
})

describe('an output that takes no more', () => {
  test('because its reader has gone ends the batch: what was paid is in the sessions', async () => {
    const provider = await scripted((request) => (request.lastText.endsWith('a') ? echo(request) : hang()))
    const at = await folderWith({ 'tasks.jsonl': jsonLines(['a', 'b', 'c', 'd']) })
    const args = ['batch', 'summarizer', at('tasks.jsonl'), '--max-workers', '2']
    const running = spawnLllm(args, { provider, database: at('sessions.db') }, { closeStdout: true })
    const { code, stderr } = await running.exited
    expect(code).toBe(141)
    expect(stderr).toContain('4 tasks: 1 success, 0 failure')
    expect(stderr).not.toMatch(/^\s+at |EPIPE/m)
    const store = await openSessionStore(at('sessions.db'))
    const { data } = await store.list({}, 10)
    await store.close()
    expect(data).toHaveLength(provider.requests.length)
    expect(data.map(({ state }) => state)).not.toContain('running')
  })

  test.runIf(process.platform === 'linux')('ends the batch: what was paid is in the sessions', async () => {
    const provider = await scripted(echo)
    const at = await folderWith({ 'tasks.jsonl': jsonLines(['a', 'b', 'c', 'd']) })
    const args = ['batch', 'summarizer', at('tasks.jsonl'), '--out', '/dev/full', '--max-workers', '2']
    const { code, stdout, stderr } = await runLllm(args, { provider, database: at('sessions.db') })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('--out: /dev/full cannot be written: the disk is full. No more tasks were started.')
    expect(stderr).toContain(' 2 results cannot be found there, but in the sessions.\n')
    expect(provider.requests).toHaveLength(2)
    const store = await openSessionStore(at('sessions.db'))
    const { data } = await store.list({}, 10)
    await store.close()
    expect(data.map(({ state }) => state)).toEqual(['success', 'success'])
  })

  test('is replaced where that is wanted', async () => {
    const at = await folderWith({ 'tasks.jsonl': '"a"\n', 'out.jsonl': 'old\n' })
    const provider = await scripted(echo)
    const args = ['batch', 'summarizer', at('tasks.jsonl'), '--out', at('out.jsonl'), '--overwrite']
    expect(await runLllm(args, { provider })).toMatchObject({ code: 0, stdout: '' })
    expect(linesIn(at('out.jsonl'))).toMatchObject([{ index: 0, result: 'a' }])
  })
})

test('a terminal gets results with nothing in them that it obeys', async () => {
  const provider = await scripted(() => says('\u009b2J\u202e'))
  const { stdout } = await runLllm(['batch', 'summarizer', '-'], { provider, stdin: '"a"', terminal: true })
  expect(stdout).toContain('"result":"\\u009b2J\\u202e"')
  expect(linesOf(stdout)).toMatchObject([{ result: '\u009b2J\u202e' }])
})

describe('progress', () => {
  test('is a bar on a terminal, which makes room for results', async () => {
    const provider = await scripted(async (request) => {
      if (request.lastText.endsWith('last')) await shell.stderr.until(/\[########## {10}\] 1\/2/)
      return echo(request)
    })
    const shell = createTestShell({ provider, terminal: true, stdin: jsonLines(['first', 'last']) })
    const { code, stderr } = await runLllm(['batch', 'summarizer', '-', '--max-workers', '1'], shell)
    expect(code).toBe(0)
    // It is taken away at the end.
    expect(stderr).toContain('\x1b[1A\r\x1b[J2 tasks: 2 success')
  })

  test('is a line every ten seconds where nothing can be drawn', () => {
    const { stderr, env } = createTestShell()
    const progress = new Progress(3, 0, 0)
    let nowMs = 0
    const view = openProgressView(new Screen({ stderr, env }), progress, () => nowMs)
    for (nowMs of [4_000, 9_999, 10_000, 12_000, 20_000]) {
      progress.counts.success = 1
      view.update()
    }
    view.end()
    expect(stderr.text).toBe('lllm: 1/3, 6.0/min, 20.0 s left, $0.000000\nlllm: 1/3, 3.0/min, 40.0 s left, $0.000000\n')
  })

  test('tells the rate, what is left, the failures and the cost', () => {
    const progress = new Progress(100, 20, 1_000)
    const cost = costOf(
      { ...usage, cachedPromptTokens: 0, reasoningTokens: 0 },
      { promptPicoUsd: 1e9, completionPicoUsd: 1e9 },
    )
    for (let task = 0; task < 18; task++) progress.add('success', cost)
    for (let task = 0; task < 2; task++) progress.add('failure', cost)
    expect(tellProgress(progress, 11_000, 10)).toBe('[####      ] 40/100, 2 failed, 2.0/s, 30.0 s left, $0.040000')
    expect(tellProgress(new Progress(3, 0, 0), 0)).toBe('0/3, $0.000000')
  })
})
