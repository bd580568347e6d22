import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRedactor } from '../../src/domain/redact.ts'

const none = createRedactor([])
const some = createRedactor(['canary-0001', 'pass"word/1'])

describe('known values', () => {
  test('are found percent-encoded where they have a backslash in them, or stand beside a percent sign', () => {
    const { known } = createRedactor(['CORP\\nina-hunter2', '41aaaa-canary'])
    expect(known('?u=CORP%5Cnina-hunter2&x')).toBe('?u=[redacted]&x')
    expect(known('%2541aaaa-canary')).not.toContain('41aaaa-canary')
  })

  test('are replaced wherever they stand, as they are, within JSON, and percent-encoded', () => {
    const { known } = createRedactor(['pass"word/1', 'canary-0001'])
    expect(known('a canary-0001 b canary-0001')).toBe('a [redacted] b [redacted]')
    expect(known(JSON.stringify({ key: 'pass"word/1' }))).toBe('{"key":"[redacted]"}')
    expect(known('postgres://me:pass%22word%2F1@host/')).toBe('postgres://me:[redacted]@host/')
  })

  const secret = 'pA55/w+rd"q\\z=? Zebra7'
  const json = (text: string) => JSON.stringify(text).slice(1, -1)
  const inUnicode = (text: string) =>
    text.replace(/[\s\S]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const lowerPercent = (text: string) => encodeURIComponent(text).replace(/%../g, (one) => one.toLowerCase())

  test.each([
    ['within JSON within JSON', json(json(secret))],
    ['within JSON four times over', json(json(json(json(secret))))],
    ['with small letters in percent-encoding', lowerPercent(secret)],
    ['percent-encoded twice', encodeURIComponent(encodeURIComponent(secret))],
    ['as a form encodes it', new URLSearchParams({ a: secret }).toString().slice(2)],
    ['as a form encodes its spaces alone', secret.replaceAll(' ', '+')],
    ['with each character escaped', inUnicode(secret)],
    ['with each character escaped, within JSON', json(inUnicode(secret))],
    ['with slashes escaped', json(secret).replaceAll('/', '\\/')],
    ['in base64 with slashes escaped', base64(secret).slice(0, -2).replaceAll('/', '\\/')],
  ])('are found %s', (_name, written) => {
    const { known } = createRedactor([secret, 'canary-0001'])
    expect(known(`a ${written} b`)).toMatch(/^a (?:\[redacted\].?|\\*\[redacted\]) b$/)
    expect(known('a canary-0001 b 100%')).toBe('a [redacted] b 100%')
  })

  test('are found in base64, at whichever place, in both alphabets', () => {
    const key = 'Zx81?>~~-ProviderKey-üßé-42'
    const { known } = createRedactor([key])
    for (const before of ['', 'a', 'ab', 'user:']) {
      for (const encoding of ['base64', 'base64url'] as const) {
        const written = Buffer.from(`${before}${key}:x`).toString(encoding)
        expect(known(`Basic ${written}`)).toMatch(/^Basic [\w+/-]{0,7}\[redacted\][\w+/-]{0,4}={0,2}$/)
      }
    }
  })

  test('with characters of other scripts are found with their escapes', () => {
    const { known } = createRedactor(['pässwörd-😀'])
    expect(known(`${inUnicode('pässwörd-😀')} ${encodeURIComponent('pässwörd-😀')}`)).toBe('[redacted] [redacted]')
  })

  test('leave JSON that is no JSON no more than before', () => {
    const { known } = createRedactor(['"quoted" \\'])
    expect(JSON.parse(known(JSON.stringify({ a: '"quoted" \\', b: 'C:\\new', c: '100%' })))).toMatchObject({
      a: expect.stringMatching(/^\[redacted\]\\?$/),
      b: 'C:\\new',
      c: '100%',
    })
  })

  test('of which one is a part of another are replaced whole', () => {
    expect(createRedactor(['canary-0001', 'canary-0001-long']).known('canary-0001-long')).toBe('[redacted]')
  })

  test('that are short are not looked for', () => {
    expect(createRedactor(['1234567', '']).known('1234567 and nothing')).toBe('1234567 and nothing')
  })
})

test.each([
  ['sk-proj-0123456789abcdefghij', '[redacted]'],
  ['whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz', '[redacted]'],
  ['AKIAIOSFODNN7EXAMPLE', '[redacted]'],
  [`lllm_abcdefghjkmn_${'x'.repeat(43)}`, '[redacted]'],
  ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlMTIz', '[redacted]'],
  ['ghp_0123456789abcdefghij0123', '[redacted]'],
  ['Authorization: Bearer abcdefghijklmnop', 'Authorization: Bearer [redacted]'],
  ['{"authorization":"Basic dXNlcjpwYXNz"}', '{"authorization":"Basic [redacted]"}'],
  ['"{\\"api_key\\":\\"abcdefgh\\"}"', '"{\\"api_key\\":\\"[redacted]\\"}"'],
  ['see Bearer 0123456789abcdef there', 'see Bearer [redacted] there'],
  ['https://host/path?token=abcdefgh&page=2', 'https://host/path?token=[redacted]&page=2'],
  ['postgres://me:secret@host:5432/db', 'postgres://me:[redacted]@host:5432/db'],
  ['password=hunter2000;', 'password=[redacted];'],
  ['-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----', '[redacted]'],
])('the shape of a secret is known: %s', (text, expected) => {
  expect(none.all(text)).toBe(expected)
  expect(none.known(text)).toBe(text)
})

test.each([
  'The provider did not accept the API key. (HTTP 401)',
  'There is no key. Send one as "Authorization: Bearer <key>".',
  'A task-force-of-people-that-work met at http://localhost:8080/a@b.',
  'The bearer of bad news: tokens, passwords and keys. Did you mean "researcher"?',
  'sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  '019a3d5c-7b1e-7000-8000-0123456789ab',
])('what only resembles a secret stays: %s', (text) => {
  expect(none.all(text)).toBe(text)
})

describe('a text that goes on', () => {
  const secrets = ['canary-0001', 'canary-0001-long', 'pass"word/1', 'abababab', 'Zx81?>~~-Key']
  const redactor = createRedactor(secrets)

  /** What is told of a text that comes in pieces. */
  function tell(pieces: readonly string[]): string {
    let told = ''
    let held = ''
    for (const piece of pieces) {
      held += piece
      const length = redactor.toldLength(held)
      told += redactor.known(held.slice(0, length))
      held = held.slice(length)
    }
    return told + redactor.known(held)
  }

  test('is told at once where no secret can begin', () => {
    expect(redactor.toldLength('The canaries of the island')).toBe(26)
    expect(redactor.toldLength('')).toBe(0)
    expect(createRedactor([]).toldLength('anything')).toBe(8)
  })

  test('is held back from where a secret may begin, and from where one may go on', () => {
    expect(redactor.toldLength('a canary-0')).toBe(2)
    expect(redactor.toldLength('a canary-0001')).toBe(2)
    expect(redactor.toldLength('a canary-0002')).toBe(13)
    expect(redactor.toldLength('a pass%22wo')).toBe(2)
    expect(redactor.toldLength('a pass\\')).toBe(2)
  })

  test('never tells a secret, wherever it is cut, and tells all that is none', () => {
    const forms = secrets.flatMap((one) => [
      one,
      JSON.stringify(one).slice(1, -1),
      encodeURIComponent(one),
      Buffer.from(one).toString('base64'),
    ])
    const parts = fc.array(fc.constantFrom(...forms, 'a', 'ab', 'canary', ' ', '\\', '%', 'x y'), { maxLength: 8 })
    const cuts = fc.array(fc.nat(4), { maxLength: 60 })
    fc.assert(
      fc.property(parts, cuts, (given, lengths) => {
        const text = given.join('')
        const pieces: string[] = []
        let at = 0
        for (const length of lengths) {
          pieces.push(text.slice(at, at + length))
          at += length
        }
        const told = tell([...pieces, text.slice(at)])
        expect(redactor.known(told)).toBe(told)
        if (redactor.known(text) === text) expect(told).toBe(text)
      }),
    )
  })
})

describe('in values', () => {
  test('texts are found at any depth, in lists, in names of fields, and in what becomes text as JSON', () => {
    const { knownIn } = createRedactor(['canary-0001'])
    const found = knownIn({ a: [{ b: 'x canary-0001' }], 'canary-0001': 1, url: new URL('https://host/canary-0001') })
    expect(found).toEqual({ a: [{ b: 'x [redacted]' }], '[redacted]': 1, url: 'https://host/[redacted]' })
  })

  test('fields go whose name says that they are secret', () => {
    const value = {
      password: 'x',
      'Set-Cookie': 'a=b',
      tokens: 'three words',
      nested: { authorization: 'y', count: 3 },
    }
    expect(none.allIn(value)).toEqual({
      password: '[redacted]',
      'Set-Cookie': '[redacted]',
      tokens: 'three words',
      nested: { authorization: '[redacted]', count: 3 },
    })
  })

  test('what holds no secret is given back as the same object', () => {
    const value = { a: [1, null, { at: new Date(0) }], text: 'nothing' }
    expect(createRedactor(['canary-0001']).allIn(value)).toBe(value)
  })

  test('cycles end, and what is shared many times over is looked at once', () => {
    const cycle: Record<string, unknown> = { text: 'canary-0001' }
    cycle['self'] = cycle
    let shared: object = { text: 'canary-0001' }
    for (let level = 0; level < 60; level++) shared = { left: shared, right: shared }
    const { knownIn } = createRedactor(['canary-0001'])
    expect(knownIn(cycle)).toEqual({ text: '[redacted]', self: '[circular]' })
    let found: unknown = knownIn(shared)
    for (let level = 0; level < 60; level++) found = (found as { right: unknown }).right
    expect(found).toEqual({ text: '[redacted]' })
  })

  test('what nests too deep to be looked at is replaced', () => {
    let deep: unknown = 'canary-0001'
    for (let level = 0; level < 5_000; level++) deep = [deep]
    expect(JSON.stringify(none.allIn(deep))).toContain('[redacted]')
  })
})

describe('a JSON text', () => {
  const secrets = ['canary-0001', 'pass"word/1', 'pass\nword']
  const encoded = secrets.flatMap((secret) => [encodeURIComponent(secret), Buffer.from(secret).toString('base64')])
  const redactor = createRedactor(secrets)

  test('is clean where nothing in it looks like a secret', () => {
    expect(redactor.isClean(JSON.stringify({ level: 30, path: '/tactics/x', tokens: 3, at: '10:30' }))).toBe(true)
  })

  test.each([
    { text: 'a canary-0001' },
    { text: 'pass"word/1' },
    { 'canary-0001': 1 },
    { nested: { Cookie: 'a=b' } },
    { text: 'see Bearer 0123456789abcdef' },
  ])('is not clean where it holds one: %o', (value) => {
    expect(redactor.isClean(JSON.stringify(value))).toBe(false)
    expect(redactor.isClean(JSON.stringify(value, null, 1))).toBe(false)
  })

  test('is not called clean where it is written with escapes', () => {
    expect(redactor.isClean('{"p\\u0061ssword":"x"}')).toBe(false)
    expect(redactor.isClean('{"text":"c\\u0061nary-0001"}')).toBe(false)
  })

  test('that is called clean holds nothing that would be taken out', () => {
    const pieces = [
      'sk-proj-0123456789abcdefghij',
      'x',
      ' ',
      ':',
      '"',
      '\\',
      '\n',
      'password',
      '=',
      'hunter2000',
      '@',
      'postgres://me',
      '%',
      '22',
    ]
    const text = fc.oneof(
      fc.array(fc.constantFrom(...pieces, ...secrets, ...encoded), { maxLength: 6 }).map((parts) => parts.join('')),
      fc.string({ unit: 'binary' }),
    )
    const fields = fc.oneof(text, fc.constantFrom('cookie', 'secret', 'Private_Key', 'authorization', 'count'))
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        text,
        fc.integer(),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fields, tie('value'), { maxKeys: 4 }),
      ),
    }))
    fc.assert(
      fc.property(value, (given) => {
        const json = JSON.stringify(given)
        if (redactor.isClean(json)) expect(redactor.allIn(JSON.parse(json))).toEqual(JSON.parse(json))
      }),
    )
  })
})

/** Texts on which an expression that goes back and forth would take hours. */
const hostile = {
  'many beginnings of one token': 'sk-a'.repeat(250_000),
  'a token without its end': `eyJ${'a'.repeat(1_000_000)}`,
  'beginnings of JWTs': 'eyJaaaaaaaa.'.repeat(80_000),
  'keys that never end': '-----BEGIN PRIVATE KEY-----'.repeat(40_000),
  schemes: 'a://'.repeat(250_000),
  'names without values': 'password= '.repeat(100_000),
  'quotes after a name': `password${'"'.repeat(1_000_000)}`,
  bearers: 'Bearer '.repeat(140_000),
  'escapes of percents': `%c3%${'25'.repeat(500_000)}`,
  'beginnings of escapes': '%c3%25'.repeat(150_000),
  backslashes: '\\'.repeat(1_000_000),
  'white space': `authorization:${' '.repeat(1_000_000)}`,
}

test.each(Object.entries(hostile))('a megabyte of %s takes no more than a moment', (_name, text) => {
  const startedAtMs = performance.now()
  none.all(text)
  some.all(text)
  some.toldLength(text)
  expect(performance.now() - startedAtMs).toBeLessThan(2_000)
})
