import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { costLines } from '../../src/domain/cost-report.ts'
import { type KeepingRules, keepSession, keptSession } from '../../src/domain/kept-session.ts'
import { createRedactor } from '../../src/domain/redact.ts'
import type { AgentCall, Session } from '../../src/domain/session.ts'
import { toSessionRecord } from '../../src/domain/session-record.ts'
import { leastOf } from '../../src/domain/store-content.ts'
import { buildSession, sessionId } from '../support/sessions.ts'

const key = 'sk-canary-0123456789abcdef'
const known = 'canary-known'
const said = `${known} and ${key}`

const rules = (most: KeepingRules['most']): KeepingRules => ({
  most,
  redactor: createRedactor([known]),
  digestImage: (base64) => {
    const image = Buffer.from(base64, 'base64')
    return { bytes: image.length, sha256: createHash('sha256').update(image).digest('hex') }
  },
})

/** A session in which every text that somebody else can write is the same. */
function talkative(more: Partial<Session> = {}): Session {
  const session = buildSession({
    calls: [{ text: said }],
    task: { question: said },
    result: [said],
    tags: { said },
    metadata: { said },
    error: { code: 'reply-unusable', message: said, data: { issues: [{ pointer: '', message: said }] } },
    ...more,
  })
  const [call] = session.agentCalls as readonly [AgentCall]
  const [llmCall] = call.llmCalls
  if (llmCall === undefined) throw new Error('There is a model call.')
  const request = { messages: [{ role: 'user', content: said } as const], args: { user: said }, tools: [] }
  const tool = { id: 'tool-1', step: 0, name: 'look', startedAtMs: 0, durationMs: 5 }
  const loud: AgentCall = {
    ...call,
    llmCalls: [{ ...llmCall, request, error: { code: 'failed', message: said } }],
    toolCalls: [{ ...tool, arguments: JSON.stringify({ said }), result: said, error: said }],
    retries: [{ kind: 'recall', step: 0, error: said, waitedMs: 250 }],
  }
  return { ...session, agentCalls: [loud] }
}

const textOf = (session: Session) => JSON.stringify(toSessionRecord(session))

describe('what is kept of a session', () => {
  test('is all of it where there are no secrets', () => {
    const session = buildSession({ subSessions: [buildSession({ id: sessionId(2) })] })
    expect(keptSession(session, rules('full'))).toEqual(session)
  })

  test('with full: everything but the values that are known, and secrets in errors', () => {
    const kept = keptSession(talkative(), rules('full'))
    expect(textOf(kept)).not.toContain(known)
    expect(kept).toMatchObject({ task: { question: `[redacted] and ${key}` }, result: [`[redacted] and ${key}`] })
    expect(kept.error?.message).toBe('[redacted] and [redacted]')
    expect(kept.agentCalls[0]?.llmCalls[0]?.error?.message).toBe('[redacted] and [redacted]')
    expect(kept.agentCalls[0]?.retries[0]?.error).toBe('[redacted] and [redacted]')
  })

  test('with redacted: everything but what looks like a secret', () => {
    const kept = keptSession(talkative(), rules('redacted'))
    expect(textOf(kept)).not.toContain('canary')
    expect(kept).toMatchObject({ task: { question: '[redacted] and [redacted]' }, content: 'redacted' })
  })

  test('with none: ids, names, states, tags, times, tokens and costs', () => {
    const session = talkative({ tags: { team: 'red' } })
    const kept = keptSession(session, rules('none'))
    expect(textOf(kept)).not.toContain('canary')
    expect(toSessionRecord(kept)).toMatchObject({
      id: session.id,
      task: null,
      result: null,
      error: { code: 'reply-unusable', message: 'The model gave no usable reply within the allowed retries.' },
      tags: { team: 'red' },
      metadata: {},
      content: 'none',
      agent_calls: [
        {
          agent: 'writer',
          llm_calls: [{ model: 'gpt-4o-mini', request: { messages: [], args: {}, tools: [] }, duration_ms: 900 }],
          tool_calls: [{ name: 'look', arguments: '', result: '', error: 'Not kept.', duration_ms: 5 }],
          retries: [{ kind: 'recall', error: 'Not kept.', waited_ms: 250 }],
          delivery: { role: 'assistant', content: '' },
        },
      ],
    })
    expect(kept.cost).toEqual(session.cost)
    expect(costLines(kept)).toEqual(costLines(session))
  })

  test('is never more than the session asks for itself, nor than the one that it is in', () => {
    const child = talkative({ id: sessionId(2), content: 'full' })
    const sibling = talkative({ id: sessionId(3), content: 'none' })
    const kept = keptSession({ ...talkative({ content: 'redacted' }), subSessions: [child, sibling] }, rules('full'))
    expect(kept.content).toBe('redacted')
    expect(kept.subSessions.map(({ content }) => content)).toEqual(['redacted', 'none'])
    expect(leastOf('full', 'none', 'redacted')).toBe('none')
    expect(leastOf()).toBe('full')
  })
})

describe('images are kept by reference', () => {
  const base64 = Buffer.from('not really an image, but bytes').toString('base64')
  const sha256 = createHash('sha256').update(Buffer.from(base64, 'base64')).digest('hex')

  test('as what a call was given', () => {
    const task = { look: `at data:image/png;base64,${base64} twice`, image: { base64, media_type: 'image/png' } }
    const kept = keptSession(buildSession({ task }), rules('full'))
    expect(kept.task).toEqual({
      look: `at data:image/png;bytes=30;sha256=${sha256}, twice`,
      image: { media_type: 'image/png', bytes: 30, sha256 },
    })
  })

  test('and as what a model was shown; those that have a URL keep it', () => {
    const session = buildSession({})
    const [call] = session.agentCalls as readonly [AgentCall]
    const shown = [
      { type: 'image', base64, mediaType: 'image/png' },
      { type: 'image', url: 'https://host/bee.png' },
    ] as const
    const llmCalls = call.llmCalls.map((llmCall) => ({
      ...llmCall,
      request: { ...llmCall.request, messages: [{ role: 'user', content: shown } as const] },
    }))
    const kept = keptSession({ ...session, agentCalls: [{ ...call, llmCalls }] }, rules('full'))
    expect(toSessionRecord(kept).agent_calls[0]?.llm_calls[0]?.request.messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'image', media_type: 'image/png', bytes: 30, sha256 },
          { type: 'image', url: 'https://host/bee.png' },
        ],
      },
    ])
  })
})

describe('what is told from the record of a session', () => {
  const secrets = [
    'pA55/w+rd"q\\z=? Zebra7',
    'line one\nline two',
    'canary-known',
    'quiteallowercase',
    'n0w"quoted',
    '2e-ends"with\\',
  ]
  const redactor = createRedactor(secrets)
  const withSecrets = { ...rules('full'), redactor }
  const inJson = (text: string) => JSON.stringify(text).slice(1, -1)
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const image = `data:image/png;base64,${base64('an image of at least thirty-two characters')}`

  test('is the record where nothing has to be taken out of it', () => {
    const session = buildSession({
      task: 'several\nlines, "quoted"',
      subSessions: [buildSession({ id: sessionId(2) })],
    })
    expect(keepSession(session, withSecrets)).toEqual({ session, record: textOf(session) })
  })

  test('is nothing where there are errors, images, or less may be kept', () => {
    const { record } = keepSession(buildSession({ task: image }), withSecrets)
    expect(record).toBeUndefined()
    expect(keepSession(talkative(), rules('full')).record).toBeUndefined()
    expect(keepSession(buildSession({}), rules('redacted')).record).toBeUndefined()
    expect(keepSession(buildSession({ content: 'none' }), rules('full')).record).toBeUndefined()
    expect(keepSession({ ...buildSession({}), result: 1n }, rules('full')).record).toBeUndefined()
  })

  test('is the same as walking through all of it would give, however a secret is written', () => {
    const forms = secrets.flatMap((one) => [
      one,
      one.replaceAll(' ', '+'),
      inJson(one),
      inJson(inJson(one)),
      inJson(inJson(inJson(one))),
      inJson(inJson(inJson(inJson(one)))),
      encodeURIComponent(one),
      base64(one),
      base64(`x${one}`),
      base64(`xy${one}`).replaceAll('+', '-').replaceAll('/', '_'),
    ])
    const text = fc
      .array(fc.constantFrom(...forms, 'prose', ' ', '"', '\\', '\n', '%', '%2', '\\u', '\ud800', image), {
        maxLength: 4,
      })
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(text, text, text, (task, name, value) => {
        const session = buildSession({ task, result: [value], metadata: { [name]: { deep: [value] } } })
        const { session: kept, record = textOf(kept) } = keepSession(session, withSecrets)
        expect(record).toBe(textOf(keptSession(session, withSecrets)))
      }),
    )
  })
})
