import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { scripted } from '../e2e/support/service.ts'
import { after, createGate, hang, type ScriptedProvider, says, status } from '../support/scripted-provider.ts'
import { spawnLllm } from './support/spawn-lllm.ts'
import { createTestShell, runLllm } from './support/test-shell.ts'

const wordOf = ({ lastText }: { readonly lastText: string }) => lastText.split(/\s/).at(-1) ?? ''
const echo = (request: { readonly lastText: string }) => says(wordOf(request))

/** How often the provider was asked about each task. */
function askedOf({ requests }: ScriptedProvider): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const request of requests) counts[wordOf(request)] = (counts[wordOf(request)] ?? 0) + 1
  return counts
}

/** A file of tasks, and the command that works through it. */
async function openBatch(tasks: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'lllm-batch-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const [file, out] = [join(folder, 'tasks.jsonl'), join(folder, 'out.jsonl')]
  const write = (given: readonly string[]) => writeFileSync(file, given.map((task) => JSON.stringify(task)).join('\n'))
  write(tasks)
  const args = ['batch', 'summarizer', file, '--out', out, '--max-workers', '2']
  return {
    ...{ file, out, args, write, resume: [...args, '--resume'] },
    text: () => readFileSync(out, 'utf8'),
    /** The states of tasks, the last line of each. */
    states: () => {
      const lines = readFileSync(out, 'utf8').split('\n').slice(0, -1)
      return Object.fromEntries(lines.map((line) => JSON.parse(line)).map(({ index, status: state }) => [index, state]))
    },
  }
}

const allOf = (count: number, state: string) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [index, state]))

describe('a batch that was ended is gone on with, and nothing that is done is asked again', () => {
  test('after a kill -9', async () => {
    const batch = await openBatch(['a', 'b', 'c', 'd', 'e', 'f'])
    let isKilled = false
    const provider = await scripted((request) => {
      return isKilled || 'abc'.includes(wordOf(request)) ? echo(request) : hang()
    })
    const process = spawnLllm(batch.args, { provider })
    // The fourth and the fifth are asked only once the lines of those before are written.
    await provider.until(({ requests, inFlight }) => requests.length === 5 && inFlight === 2)
    process.kill('SIGKILL')
    await process.exited
    await provider.until(({ inFlight }) => inFlight === 0)
    isKilled = true
    expect(batch.states()).toEqual(allOf(3, 'success'))
    // Its lock is left behind, and locks nothing.
    expect(readdirSync(dirname(batch.out)).sort()).toEqual(['out.jsonl', 'out.jsonl.lock', 'tasks.jsonl'])
    expect(statSync(`${batch.out}.lock`).size).toBe(0)
    // In the middle of a line.
    appendFileSync(batch.out, '{"index":3,"status":"succ')

    const { code, stderr } = await runLllm(batch.resume, { provider })
    expect(code).toBe(0)
    expect(stderr).toContain('6 tasks: 3 done before, 3 success')
    expect(batch.states()).toEqual(allOf(6, 'success'))
    expect(askedOf(provider)).toEqual({ a: 1, b: 1, c: 1, d: 2, e: 2, f: 1 })
  })

  test('after Ctrl-C, which lets the calls under way end', async () => {
    const batch = await openBatch(['a', 'b', 'c', 'd', 'e'])
    const gate = createGate()
    const provider = await scripted((request) => after(gate, echo(request)))
    const shell = createTestShell({ provider })
    const running = runLllm(batch.args, shell)
    await provider.until(({ inFlight }) => inFlight === 2)
    shell.interrupt()
    await shell.stderr.until(/No more tasks are started/)
    gate.open()
    const { code, stderr } = await running
    expect(code).toBe(130)
    expect(stderr).toContain('5 tasks: 2 success, 0 failure, 3 not started')
    expect(stderr).toContain(
      `To go on: lllm batch summarizer ${batch.file} --out ${batch.out} --resume --max-workers 2\n`,
    )
    expect(batch.states()).toEqual(allOf(2, 'success'))

    expect(await runLllm(batch.resume, { provider })).toMatchObject({ code: 0 })
    expect(batch.states()).toEqual(allOf(5, 'success'))
    expect(askedOf(provider)).toEqual({ a: 1, b: 1, c: 1, d: 1, e: 1 })
    // There is nothing left to do.
    expect(await runLllm(batch.resume, { provider })).toMatchObject({ code: 0 })
    expect(provider.requests).toHaveLength(5)
  })

  test('after Ctrl-C twice, which cancels them', async () => {
    const batch = await openBatch(['a', 'b', 'c'])
    let isOver = false
    const provider = await scripted((request) => (isOver ? echo(request) : hang()))
    const shell = createTestShell({ provider })
    const running = runLllm(batch.args, shell)
    await provider.until(({ inFlight }) => inFlight === 2)
    shell.interrupt()
    shell.interrupt()
    expect(await running).toMatchObject({ code: 130, stdout: '' })
    await provider.until(({ aborted }) => aborted === 2)
    expect(batch.states()).toEqual(allOf(2, 'cancelled'))
    isOver = true
    expect(await runLllm(batch.resume, { provider })).toMatchObject({ code: 0 })
    expect(batch.states()).toEqual(allOf(3, 'success'))
  })

  test('after failures, whose tasks may have been put right', async () => {
    const batch = await openBatch(['a', 'bad', 'c'])
    const provider = await scripted((request) => (wordOf(request) === 'bad' ? status(400) : echo(request)))
    expect(await runLllm(batch.args, { provider })).toMatchObject({ code: 1 })
    batch.write(['a', 'good', 'c', 'more'])
    expect(await runLllm(batch.resume, { provider })).toMatchObject({ code: 0 })
    expect(batch.states()).toEqual(allOf(4, 'success'))
    expect(askedOf(provider)).toEqual({ a: 1, bad: 1, c: 1, good: 1, more: 1 })
  })

  test('where the last line is whole but for its end', async () => {
    const batch = await openBatch(['a', 'b'])
    const provider = await scripted(echo)
    await runLllm(batch.args, { provider })
    const [first, second] = batch.text().split('\n')
    writeFileSync(batch.out, `${first}`)
    expect(await runLllm(batch.resume, { provider })).toMatchObject({ code: 0 })
    expect(batch.states()).toEqual(allOf(2, 'success'))
    expect(batch.text().split('\n')).toHaveLength(3)
    expect(second).toBeTruthy()
    expect(provider.requests).toHaveLength(3)
  })

  test('and from its beginning where there is no output yet', async () => {
    const batch = await openBatch(['a'])
    const provider = await scripted(echo)
    expect(await runLllm(batch.resume, { provider })).toMatchObject({ code: 0 })
    expect(batch.states()).toEqual(allOf(1, 'success'))
  })
})

describe('an output that another batch writes is refused, so that nothing is paid twice', () => {
  async function openHanging() {
    const batch = await openBatch(['a', 'b', 'c'])
    let isOver = false
    const provider = await scripted((request) => (isOver ? echo(request) : hang()))
    return { ...batch, provider, end: () => (isOver = true) }
  }

  test.each([
    { by: 'going on', option: '--resume' },
    { by: 'replacing it', option: '--overwrite' },
  ])('by $by', async ({ option }) => {
    const { args, out, resume, provider, end, states } = await openHanging()
    const shell = createTestShell({ provider })
    const running = runLllm(args, shell)
    await provider.until(({ inFlight }) => inFlight === 2)
    const { code, stderr } = await runLllm([...args, option], { provider })
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `lllm: --out: ${out} is being written by another batch. Wait until that has ended, or give another --out.\n`,
    })
    expect(provider.requests).toHaveLength(2)
    for (let count = 0; count < 2; count++) shell.interrupt()
    await running
    expect(existsSync(`${out}.lock`)).toBe(false)
    end()
    expect(await runLllm(resume, { provider })).toMatchObject({ code: 0 })
    expect(states()).toEqual(allOf(3, 'success'))
  })

  test('of two that begin at the same moment, one does', async () => {
    const { args, out, provider, states, end } = await openHanging()
    end()
    const codes = await Promise.all(
      [1, 2, 3, 4].map(async () => (await runLllm([...args, '--resume'], { provider })).code),
    )
    expect(codes).toContain(0)
    expect(askedOf(provider)).toEqual({ a: 1, b: 1, c: 1 })
    expect(states()).toEqual(allOf(3, 'success'))
    expect(existsSync(`${out}.lock`)).toBe(false)
  })

  test('a file beside it that is none of ours is left alone', async () => {
    const { args, out, provider } = await openHanging()
    writeFileSync(`${out}.lock`, 'dear diary, this is not a database')
    expect(await runLllm(args, { provider })).toMatchObject({ code: 2, stdout: '' })
    expect(readFileSync(`${out}.lock`, 'utf8')).toContain('dear diary')
  })
})

test('the command that goes on has the bounds of the one that was ended', async () => {
  const batch = await openBatch(['a', 'b'])
  const provider = await scripted((request) => (wordOf(request) === 'b' ? status(400) : echo(request)))
  const bounds = ['--budget', '2.5', '--max-workers', '2', '--tag', 'team=docs', '--tag', "who=it's me", '--fail-fast']
  const { stderr } = await runLllm([...batch.args, ...bounds], { provider })
  const told = `--resume --budget 2.5 --max-workers 2 --tag team=docs --tag 'who=it'\\''s me' --fail-fast\n`
  expect(stderr).toContain(told)
})

describe('an output of something else is refused, and left as it is', () => {
  test.each([
    {
      of: 'another tactic',
      change: { tactic: 'pipeline' },
      told: 'line 1, has the result of another tactic or config',
    },
    { of: 'other tasks', change: { tasks: ['b', 'a'] }, told: 'which was another task then' },
    { of: 'more tasks', change: { tasks: ['a'] }, told: 'but there are only 1 tasks' },
    { of: 'no batch', change: { out: 'dear diary\n' }, told: 'line 1, is no result of a batch' },
    { of: 'no batch, in one line', change: { out: 'dear diary' }, told: 'line 1, is no result of a batch' },
    { of: 'no batch, in the middle', change: { more: 'half a line\n' }, told: 'line 3, is no result of a batch' },
  ])('that of $of', async ({ change, told }) => {
    const batch = await openBatch(['a', 'b'])
    const provider = await scripted(echo)
    await runLllm([...batch.args, '--max-workers', '1'], { provider })
    const { tactic = 'summarizer', tasks, out, more } = change
    if (tasks !== undefined) batch.write(tasks)
    if (out !== undefined) writeFileSync(batch.out, out)
    if (more !== undefined) appendFileSync(batch.out, more)
    const before = batch.text()
    const { code, stdout, stderr } = await runLllm(['batch', tactic, ...batch.resume.slice(2)], { provider })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(told)
    expect(batch.text()).toBe(before)
    expect(provider.requests).toHaveLength(2)
  })
})
