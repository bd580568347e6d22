import { Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { drawCall } from '../../src/cli/run/live-view.ts'
import { Screen } from '../../src/cli/run/live-view-screen.ts'
import { LiveState } from '../../src/cli/run/live-view-state.ts'
import { printReplies } from '../../src/cli/run/run-stream.ts'
import { costOf } from '../../src/domain/cost.ts'
import type { EngineEvent } from '../../src/domain/event.ts'
import { scripted } from '../e2e/support/service.ts'
import { createGate, says, streams } from '../support/scripted-provider.ts'
import { CollectedOutput, createTestShell, runLllm } from './support/test-shell.ts'

/** What is to be seen on a terminal after all of this was written to it. It knows what a {@link Screen} uses, and no more. */
class Terminal extends Writable {
  readonly isTTY = true
  columns: number
  readonly rows?: number
  /** Rows as they are seen, and whether each goes on in the next one. */
  #seen: { text: string; wraps: boolean }[] = [{ text: '', wraps: false }]

  constructor(columns: number, rows?: number) {
    super({ decodeStrings: false })
    this.columns = columns
    if (rows !== undefined) this.rows = rows
  }

  get lines(): readonly string[] {
    return this.#seen.map(({ text }) => text)
  }

  /** What most terminals do with what is there already: rows are broken anew. */
  resize(columns: number): void {
    const whole: string[] = []
    for (const [index, { text }] of this.#seen.entries()) {
      if (index > 0 && this.#seen[index - 1]?.wraps) whole.push((whole.pop() ?? '') + text)
      else whole.push(text)
    }
    this.columns = columns
    this.#seen = [{ text: '', wraps: false }]
    this.#put(whole.join('\n'))
  }

  override _write(chunk: string, _encoding: string, done: () => void): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what a terminal is told with.
    for (const part of chunk.split(/(\x1b\[\d*[AJm])/)) this.#take(part)
    done()
  }

  #take(part: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what a terminal is told with.
    const [, count, command] = /^\x1b\[(\d*)([AJm])$/.exec(part) ?? []
    if (command === undefined) this.#put(part)
    // What is below the cursor is erased with the next command, always.
    if (command === 'A')
      this.#seen.splice(Math.max(0, this.#seen.length - 1 - Number(count)), Infinity, { text: '', wraps: false })
  }

  #put(text: string): void {
    for (const character of text) {
      const last = this.#seen.at(-1) ?? { text: '', wraps: false }
      if (character === '\n') this.#seen.push({ text: '', wraps: false })
      else if (character === '\r') continue
      else if (last.text.length < this.columns) last.text += character
      else {
        last.wraps = true
        this.#seen.push({ text: character, wraps: false })
      }
    }
  }
}

function screenOn(terminal: Terminal): Screen {
  return new Screen({ stderr: terminal, env: {} })
}

const lines = (...texts: readonly string[]) => texts.map((text) => ({ text }))

describe('lines at the end of a terminal', () => {
  test('are drawn anew in place, below what is said', async () => {
    const terminal = new Terminal(40)
    const screen = screenOn(terminal)
    screen.draw(lines('one', 'two'))
    await screen.say('hello')
    screen.draw(lines('three'))
    expect(terminal.lines).toEqual(['hello', 'three', ''])
    screen.leave()
    await screen.say('bye')
    expect(terminal.lines).toEqual(['hello', 'three', 'bye', ''])
  })

  test('are cut to its width, also where characters are wide', () => {
    const terminal = new Terminal(12)
    screenOn(terminal).draw(lines('a'.repeat(50), '蜂'.repeat(50)))
    expect(terminal.lines).toEqual([`${'a'.repeat(10)}…`, `${'蜂'.repeat(5)}…`, ''])
  })

  test('are never more than it has', () => {
    const terminal = new Terminal(40, 4)
    screenOn(terminal).draw(lines('1', '2', '3', '4', '5', '6'))
    expect(terminal.lines).toEqual(['4', '5', '6', ''])
  })

  test.each([{ to: 7 }, { to: 13 }, { to: 60 }])('survive a terminal that is resized to $to columns', ({ to }) => {
    const terminal = new Terminal(30)
    const screen = screenOn(terminal)
    terminal.write('before\n')
    screen.draw(lines('a'.repeat(40), 'b', 'c'.repeat(20)))
    terminal.resize(to)
    screen.draw(lines('now'))
    expect(terminal.lines).toEqual(['before', 'now', ''])
  })

  test('are not drawn where nothing can be drawn over', async () => {
    for (const [output, env] of [
      [new CollectedOutput(false, 80), {}],
      [new CollectedOutput(true, 80), { TERM: 'dumb' }],
    ] as const) {
      const screen = new Screen({ stderr: output, env })
      screen.draw(lines('drawn'))
      await screen.say('said')
      expect(output.text).toBe('said\n')
    }
  })
})

const usage = { promptTokens: 900, cachedPromptTokens: 0, completionTokens: 100, reasoningTokens: 0 }
const cost = costOf(usage, { promptPicoUsd: 2_000_000_000, completionPicoUsd: 1_000_000_000 })
const place = (callId: string, path = ['pipeline']) => ({ sessionId: 's', path, callId, agent: 'finder', dialog: 'd' })

function stateAfter(...events: readonly EngineEvent[]): LiveState {
  const state = new LiveState(0)
  for (const event of events) state.take(event, 1_500)
  return state
}

const textsOf = (state: LiveState, columns = 80) => drawCall('pipeline', state, 2_000, columns).map(({ text }) => text)
const delta = (text: string): EngineEvent => ({ type: 'agent.delta', ...place('1'), step: 0, attempt: 0, text })

describe('the live view', () => {
  test('shows agents with what they say, their tools, tokens and cost', () => {
    const started: EngineEvent = { type: 'agent.started', ...place('1', ['pipeline', 'research']) }
    expect(textsOf(stateAfter(started, delta('Bees are\nbusy.')))).toEqual([
      'pipeline: 2.0 s, 1 agent call, 0 tokens, $0.000000',
      '  › research/finder: 500 ms, about 4 tokens',
      '      Bees are busy.',
    ])
    const tool = { ...place('1'), toolCallId: 't', tool: 'search' }
    const asking: EngineEvent = { type: 'tool.started', ...tool, arguments: '{"q":"\u001b[2J"}' }
    expect(textsOf(stateAfter(started, asking))).toContain('      search {"q":"\\u001b[2J"}')
    const answered: EngineEvent = { type: 'tool.completed', ...tool, result: 'r', error: null }
    const ended: EngineEvent = { type: 'agent.completed', ...place('1'), state: 'success', cost }
    expect(textsOf(stateAfter(started, asking, answered, ended))).toEqual([
      'pipeline: 2.0 s, 1 agent call, 1 tool call, 1,000 tokens, $0.003000',
      '  ✓ research/finder: 0 ms, 1,000 tokens, $0.003000, 1 tool call',
    ])
  })

  test('shows the newest words, as many as fit', () => {
    const started: EngineEvent = { type: 'agent.started', ...place('1') }
    const lastOf = (text: string, columns: number) =>
      textsOf(stateAfter(started, delta(text)), columns)
        .at(-1)
        ?.trim()
    expect([30, 29, 20, 10].map((columns) => lastOf('Bees 蜂蜂 dance all day', columns))).toEqual([
      'Bees 蜂蜂 dance all day',
      '…蜂蜂 dance all day',
      '…all day',
      '…ay',
    ])
    expect(lastOf('蜂'.repeat(100), 20)).toBe(`…${'蜂'.repeat(6)}`)
  })

  test('stays small, however many agents are called', () => {
    const events = Array.from({ length: 1_000 }, (_, index): readonly EngineEvent[] => [
      { type: 'agent.started', ...place(`${index}`) },
      ...(index < 990 ? [{ type: 'agent.completed', ...place(`${index}`), state: 'success', cost } as const] : []),
    ])
    const state = stateAfter(...events.flat())
    expect(state.agents.size).toBeLessThanOrEqual(200)
    const texts = textsOf(state)
    expect(texts[0]).toContain('1000 agent calls, 990,000 tokens')
    expect(texts.filter((text) => text.includes('›'))).toHaveLength(10)
    expect(texts.length).toBeLessThan(40)
  })

  test('is drawn on a terminal while a call is under way, and obeys nothing that a model says', async () => {
    const gate = createGate()
    const provider = await scripted([streams(['\u001b[2J', 'Bees ', gate, 'dance.'])])
    const shell = createTestShell({ provider, terminal: 'stderr', columns: 60 })
    const running = runLllm(['run', 'summarizer', 'bees'], shell)
    await shell.stderr.until(/Bees/)
    gate.open()
    const { code, stdout, stderr } = await running
    expect({ code, stdout }).toEqual({ code: 0, stdout: '\u001b[2JBees dance.\n' })
    expect(stderr).toContain('\\u001b[2J')
    expect(stderr).not.toContain('\u001b[2J')
    expect(stderr).toMatch(/✓ writer: .*\n.*success: /)
  })
})

describe('what the code of a tactic prints', () => {
  test('stands above the live view, which makes room for it', async () => {
    const gate = createGate()
    const provider = await scripted([streams(['Bees ', gate, 'dance.'])])
    const shell = createTestShell({ provider, terminal: true })
    const running = runLllm(['run', 'summarizer', 'bees'], shell)
    await shell.stderr.until(/Bees/)
    shell.print('tick\n')
    gate.open()
    expect((await running).stderr).toContain('\u001b[3A\r\u001b[Jtick\n\u001b[1msummarizer: ')
    shell.print('late\n')
    expect(shell.stderr.text).toMatch(/late\n$/)
  })
})

describe('--stream', () => {
  test('prints replies as whole lines with their speakers where it is no terminal', async () => {
    const provider = await scripted([
      streams(['fact one\nfact', ' two\u001b[2J']),
      says('A paragraph.'),
      says('A plan.'),
    ])
    const { code, stdout, stderr } = await runLllm(['run', 'pipeline', 'bees', '--stream'], { provider })
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'A plan.\n' })
    expect(stderr.split('\n').slice(0, 4)).toEqual([
      'researcher/finder: fact one',
      'researcher/finder: fact two\\u001b[2J',
      'researcher/synthesizer: A paragraph.',
      'coordinator: A plan.',
    ])
  })

  test('prints them as they come on a terminal', async () => {
    const gate = createGate()
    const provider = await scripted([streams(['Bees ', gate, 'dance.'])])
    const shell = createTestShell({ provider, terminal: true })
    const running = runLllm(['run', 'summarizer', 'bees', '--stream'], shell)
    await shell.stderr.until(/── writer ──\nBees $/)
    gate.open()
    expect((await running).stderr).toMatch(/^── writer ──\nBees dance\.\nsuccess: /)
  })

  test('says when a reply was not used', async () => {
    const output = new CollectedOutput(true, 80)
    const printer = printReplies(output)
    await printer.emit(delta('{"half'))
    await printer.emit({ ...delta('{"whole": 1}'), attempt: 1 } as EngineEvent)
    await printer.end()
    expect(output.text).toBe(
      '── finder ──\n{"half\n── finder ── asked again: the reply before was not used\n{"whole": 1}\n',
    )
  })

  test('keeps no line without end', async () => {
    const output = new CollectedOutput(false, 80)
    const { emit, end } = printReplies(output)
    for (let piece = 0; piece < 100; piece++) await emit(delta('a'.repeat(1_000)))
    expect(output.text.length).toBeGreaterThan(90_000)
    await end()
    expect(output.text.replaceAll(/finder: |\n/g, '')).toHaveLength(100_000)
  })
})
