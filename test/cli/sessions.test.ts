import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { Session } from '../../src/domain/session.ts'
import { toSessionRecord } from '../../src/domain/session-record.ts'
import { openSqliteSessionStore } from '../../src/stores/sqlite-session-store.ts'
import { databaseFiles } from '../support/database-files.ts'
import { buildSession, sessionId, testStartMs } from '../support/sessions.ts'
import { runLllm, type ShellSpec } from './support/test-shell.ts'

const { newPath } = databaseFiles()

/** A database with these sessions, and a way to ask for them. */
async function keep(...sessions: readonly Session[]) {
  const database = newPath()
  const store = await openSqliteSessionStore({ path: database })
  await Promise.all(sessions.map((session) => store.save(session)))
  await store.close()
  return (args: readonly string[], spec: ShellSpec = {}) => runLllm(args, { database, ...spec })
}

const essay = buildSession({ id: sessionId(1), tags: { team: 'red' } })
const review = buildSession({
  id: sessionId(2),
  tactic: 'review',
  startedAtMs: testStartMs + 60_000,
  state: 'failure',
  calls: [{ price: null, model: 'house-model' }],
})

/** The same for the tests that only look at these two. */
const bothKept = keep(essay, review)

describe('lllm sessions', () => {
  test('lists them as a table, newest first, with nothing left out for a program', async () => {
    const lllm = await bothKept
    const { code, stdout, stderr } = await lllm(['sessions'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe(
      [
        'ID                                    STARTED               TACTIC  STATE         COST   TOOK  LLM CALLS  TOKENS  TAGS',
        `${review.id}  2026-11-22T10:01:00Z  review  failure   unpriced  1.2 s          1     120`,
        `${essay.id}  2026-11-22T10:00:00Z  essay   success  $0.000027  1.2 s          1     120  team=red`,
        '',
      ].join('\n'),
    )
  })

  test('keeps a table within the width of a terminal, and the id and the cost in it', async () => {
    const long = buildSession({ tactic: 'a_tactic_with_quite_a_long_name', tags: { team: 'red'.repeat(20) } })
    const lllm = await keep(long)
    const { stdout } = await lllm(['sessions'], { terminal: true, columns: 90 })
    const lines = stripVTControlCharacters(stdout).trimEnd().split('\n')
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(90)
    expect(lines[1]).toMatch(/^\S{36} {2}\S{20} {2}a_tactic\S*… .*\$0\.000027/)
    expect(lines[0]).not.toContain('TAGS')
  })

  test.each([
    [['--tactic', 'essay'], [1]],
    [['--tactic', 'demo::review'], [2]],
    [['--state', 'failure'], [2]],
    [['--tag', 'team=red'], [1]],
    [['--tag', 'team=red', '--tag', 'env=prod'], []],
    [['--from', '2026-11-22T10:00:30Z'], [2]],
    [['--to', '2026-11-22T10:00:30Z'], [1]],
    [
      ['--from', '2026-11-22'],
      [2, 1],
    ],
  ])('with %j finds the sessions %j', async (args, numbers) => {
    const lllm = await bothKept
    const { code, stdout } = await lllm(['sessions', '--json', ...args])
    const { data } = JSON.parse(stdout) as { readonly data: readonly { readonly id: string }[] }
    expect({ code, ids: data.map(({ id }) => id) }).toEqual({ code: 0, ids: numbers.map(sessionId) })
  })

  test('pages through them, and tells how to go on beside the table', async () => {
    const lllm = await bothKept
    const first = await lllm(['sessions', '--limit', '1'])
    const [, cursor = ''] = /^1 session; older ones: --cursor (\S+)$/m.exec(first.stderr) ?? []
    const second = await lllm(['sessions', '--limit', '1', '--cursor', cursor])
    expect(second).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining(essay.id) })
    expect(second.stdout).not.toContain(review.id)
    expect(JSON.parse((await lllm(['sessions', '--limit', '1', '--json'])).stdout)).toMatchObject({
      next_cursor: cursor,
    })
  })

  test('says that there are none, and leaves the output empty', async () => {
    const lllm = await keep()
    expect(await lllm(['sessions'])).toEqual({ code: 0, stdout: '', stderr: 'There are no such sessions.\n' })
  })
})

describe('lllm session', () => {
  const child = buildSession({
    id: sessionId(8),
    tactic: 'research',
    startedAtMs: testStartMs + 2_000,
    calls: [{ agent: 'finder', text: 'Facts.' }],
  })

  test('shows the tree in time order, with times, tokens and cost', async () => {
    const lllm = await keep(buildSession({ subSessions: [child], tags: { team: 'red' } }))
    const { code, stdout, stderr } = await lllm(['session', sessionId(1)])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe(`${sessionId(1)}
started   2026-11-22T10:00:00.000Z
config    default (with a simulated model)
tags      team=red
task      bees
result    Bees are busy.
+0 ms tactic essay success 1.2 s 240 tokens $0.000054
├─ +0 ms agent writer (main) success 1.0 s 120 tokens $0.000027  Bees are busy.
│  └─ +0 ms model gpt-4o-mini 900 ms 100 + 20 tokens $0.000027  Bees are busy.
└─ +2.0 s tactic research success 1.2 s 120 tokens $0.000027
   └─ +2.0 s agent finder (main) success 1.0 s 120 tokens $0.000027  Facts.
      └─ +2.0 s model gpt-4o-mini 900 ms 100 + 20 tokens $0.000027  Facts.
`)
  })

  test('shows tries that failed, why it was asked again, and tools', async () => {
    const [call] = buildSession().agentCalls
    const [asked] = call?.llmCalls ?? []
    if (call === undefined || asked === undefined) throw new Error('There is a call.')
    const failed = { ...asked, response: null, usage: null, error: { code: 'failed', message: 'It said 503.' } }
    const again = { ...asked, id: 'again', attempt: 1, startedAtMs: testStartMs + 500 }
    const agentCall = {
      ...call,
      llmCalls: [failed, again],
      retries: [{ kind: 'recall', step: 0, error: 'It said 503.', waitedMs: 400 }],
      toolCalls: [
        {
          id: 'tool',
          step: 0,
          name: 'search',
          arguments: '{"about":"bees"}',
          result: 'Nothing.',
          error: 'No network.',
          startedAtMs: testStartMs + 700,
          durationMs: 30,
        },
      ],
    } as const
    const lllm = await keep({ ...buildSession(), agentCalls: [agentCall] })
    const { stdout } = await lllm(['session', sessionId(1)])
    expect(stdout.split('\n').slice(-6, -1)).toEqual([
      '└─ +0 ms agent writer (main) success 1.0 s 120 tokens $0.000027  Bees are busy.',
      '   ├─ +0 ms model gpt-4o-mini failed 900 ms $0.000027  It said 503.',
      '   ├─ asked again, for the provider failed after 400 ms  It said 503.',
      '   ├─ +500 ms model gpt-4o-mini try 2 900 ms 100 + 20 tokens $0.000027  Bees are busy.',
      '   └─ +700 ms tool search failed 30 ms  {"about":"bees"} → No network.',
    ])
  })

  test('cuts long texts to the width of the terminal, and makes control characters harmless', async () => {
    const text = `\u001b[2J\u001b]0;owned\u0007\r\n${'蜂🐝'.repeat(2_000)}\u202e`
    const lllm = await keep(buildSession({ task: text, result: text, calls: [{ text, agent: 'a\u001b[31m' }] }))
    const { stdout } = await lllm(['session', sessionId(1)], { terminal: true, columns: 70 })
    const plain = stripVTControlCharacters(stdout)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
    expect(plain).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
    expect(plain).toContain('task      \\u001b[2J\\u001b]0;owned\\u0007\\r\\n蜂🐝')
    for (const line of plain.split('\n')) {
      const wide = [...line].filter((character) => /[蜂🐝]/u.test(character)).length
      expect([...line].length + wide).toBeLessThanOrEqual(70)
    }
  })

  test('is found by the beginning of its id, if no other session begins so', async () => {
    const lllm = await keep(
      buildSession({ id: '019a-1111' }),
      buildSession({ id: '019a-2222' }),
      buildSession({ id: '019a-2222-3' }),
    )
    expect(await lllm(['session', '019a-1'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^019a-1111\n/) })
    expect(await lllm(['session', '019a-2222'])).toMatchObject({ code: 0 })
    expect(await lllm(['session', '019a'])).toEqual({
      code: 2,
      stdout: '',
      stderr: 'lllm: More than one session begins with 019a: 019a-1111, 019a-2222, 019a-2222-3.\n',
    })
    expect(await lllm(['session', '019b'])).toEqual({
      code: 2,
      stdout: '',
      stderr: 'lllm: There is no session with the id 019b.\n',
    })
    expect(await lllm(['session', '%'])).toMatchObject({ code: 2, stdout: '' })
  })

  test('gives with --json what the service gives', async () => {
    const session = buildSession({ subSessions: [child] })
    const lllm = await keep(session)
    const { stdout } = await lllm(['session', sessionId(1), '--json'])
    expect(JSON.parse(stdout)).toEqual(JSON.parse(JSON.stringify(toSessionRecord(session))))
  })

  test('tells with --cost what it cost by tactic, agent and model', async () => {
    const lllm = await keep(buildSession({ subSessions: [child] }))
    const { stdout } = await lllm(['session', sessionId(1), '--cost'])
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['TACTIC', 'AGENT', 'MODEL', 'LLM CALLS', 'PROMPT', 'CACHED', 'COMPLETION', 'REASONING', 'COST'],
      ['essay', 'writer', 'gpt-4o-mini', '1', '100', '0', '20', '0', '$0.000027'],
      ['research', 'finder', 'gpt-4o-mini', '1', '100', '0', '20', '0', '$0.000027'],
      ['total', '2', '200', '0', '40', '0', '$0.000054'],
      [''],
    ])
    const { stdout: json } = await lllm(['session', sessionId(1), '--cost', '--json'])
    expect(JSON.parse(json)).toMatchObject({ session_id: sessionId(1), total: { cost_usd: 0.000054 } })
  })
})

describe('of a session whose texts are gone', () => {
  test('the costs are told, and where they are to whoever asks for more', async () => {
    const database = newPath()
    const store = await openSqliteSessionStore({ path: database })
    await store.save(essay)
    const endMs = Date.UTC(2030, 0, 1)
    await store.retention.clean({ part: 'session-texts', beforeMs: endMs, afterId: '', rowsMax: 10 })
    await store.close()
    const ask = (...args: readonly string[]) => runLllm(['session', essay.id, ...args], { database })
    const refused = await ask()
    expect([refused.code, refused.stdout]).toEqual([1, ''])
    expect(refused.stderr).toContain(`not kept any more. Its costs are: lllm session ${essay.id} --cost`)
    expect(await ask('--cost')).toMatchObject({ code: 0, stdout: expect.stringContaining('gpt-4o-mini') })
    expect(JSON.parse((await ask('--cost', '--json')).stdout)).toMatchObject({ session_id: essay.id })
  })
})

describe('lllm costs', () => {
  test('groups what was spent, with a total, and never takes an unknown price for nothing', async () => {
    const lllm = await bothKept
    const { code, stdout } = await lllm(['costs', '--group-by', 'model,tag.team'])
    expect(code).toBe(0)
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      [
        'MODEL',
        'TAG.TEAM',
        'SESSIONS',
        'LLM CALLS',
        'PROMPT',
        'CACHED',
        'COMPLETION',
        'REASONING',
        'COST',
        'UNPRICED CALLS',
      ],
      ['gpt-4o-mini', 'red', '1', '1', '100', '0', '20', '0', '$0.000027', '0'],
      ['house-model', '-', '1', '1', '100', '0', '20', '0', 'unpriced', '1'],
      ['total', '2', '2', '200', '0', '40', '0', '≥ $0.000027', '1'],
      [''],
    ])
  })

  test('as JSON and as CSV, with the filters of the sessions', async () => {
    const lllm = await bothKept
    const json = await lllm(['costs', '--tag', 'team=red', '--json'])
    expect(JSON.parse(json.stdout)).toMatchObject({
      data: [{ tactic: 'essay', sessions: 1, cost_usd: 0.000027 }],
      total: { sessions: 1 },
    })
    const csv = await lllm(['costs', '--csv', '--state', 'failure'])
    expect(csv.stdout).toMatch(/^tactic,sessions,.*\r\nreview,1,1,100,0,20,0,120,,,,1\r\n$/)
  })
})

describe('without a database', () => {
  test.each([['sessions'], ['session', '019a'], ['costs']])('%s says so, and makes none', async (...args) => {
    const database = newPath()
    expect(await runLllm(args, { database })).toEqual({
      code: 1,
      stdout: '',
      stderr: `lllm: There is no database ${database}: nothing was kept there yet. Set LLLM_DATABASE to the file of your service.\n`,
    })
    expect(existsSync(dirname(database))).toBe(false)
  })

  test('in a file it says so, too', async () => {
    const { code, stderr } = await runLllm(['sessions'], { database: ':memory:' })
    expect(code).toBe(1)
    expect(stderr).toContain(':memory:, which ends with its process')
  })

  test('but a folder, it says that it cannot be opened', async () => {
    const database = newPath()
    mkdirSync(database, { recursive: true })
    const { code, stdout, stderr } = await runLllm(['costs'], { database })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(new RegExp(`^lllm: The database ${database}: [^\n]+\n$`))
  })

  test('is what a relative path means from the working directory', async () => {
    const database = newPath()
    const store = await openSqliteSessionStore({ path: database })
    await store.save(essay)
    await store.close()
    const folder = dirname(dirname(database))
    const relative = join('.', database.slice(folder.length))
    expect(await runLllm(['session', essay.id], { folder, database: relative })).toMatchObject({ code: 0 })
  })
})

describe('options that do not fit end with exit code 2, and are named', () => {
  test.each([
    [['sessions', '--limit', '201'], '--limit must be a whole number from 1 to 200.\n'],
    [['sessions', '--limit', 'ten'], '--limit must be a whole number from 1 to 200'],
    [['sessions', '--state', 'done'], '--state must be one of running, success, failure, cancelled.\n'],
    [
      ['sessions', '--from', 'yesterday'],
      '--from must be an RFC 3339 time such as 2026-11-02T09:30:00Z, or a day such as 2026-11-02.\n',
    ],
    [['sessions', '--cursor', '!'], '--cursor must be the next_cursor'],
    [['sessions', '--tag', 'team'], 'A tag is written as key=value.'],
    [['sessions', '--tag', 'a=b', '--tag', 'a=c'], 'The tag a is given twice.'],
    [['sessions', '--tag', 'a b=c'], '--tag must fit tag.'],
    [['costs', '--to', '2026-13-01'], '--to must be an RFC 3339 time'],
    [['costs', '--group-by', 'agent,colour'], '--group-by must be tactic, tactic_id, agent, model, day or tag.KEY'],
    [['costs', '--csv', '--json'], "option '--csv' cannot be used with option '--json'"],
    [['session'], "missing required argument 'id'"],
    [['sesion', 'x'], '(Did you mean session?)'],
  ])('%j', async (args, told) => {
    const { code, stdout, stderr } = await runLllm(args, { database: newPath() })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(told)
    expect(stderr).not.toMatch(/^\s+at /m)
  })
})
