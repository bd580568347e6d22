import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ParseError, tagParser } from '../../src/domain/tag-parser.ts'

const contents = (blocks: readonly { readonly content: string }[]) => blocks.map(({ content }) => content)
const readA = (text: string) => contents(tagParser({ tags: { optional: ['a'] } }).parse(text).tags.a)
const attributesOf = (text: string) => {
  const { a } = tagParser({ tags: { required: ['a'] } }).parse(text).tags
  return Object.fromEntries(a[0].attributes)
}

describe('tags', () => {
  test('are read by name, repetitions in order, their content without white space at its ends', () => {
    const parser = tagParser({ tags: { required: ['point'], optional: ['note'] } })
    const text = 'Here:\n<point>\n  one\n</point> <point>two</point>\nDone.'
    const reply = parser.parse(text)
    expect(contents(reply.tags.point)).toEqual(['one', 'two'])
    expect(reply.tags.note).toEqual([])
    expect(reply.text).toBe(text)
  })

  test('have attributes: quoted either way, unquoted or bare', () => {
    expect(attributesOf(`<a one="1 > 0" two='"' three=3 path=src/x.ts four></a>`)).toEqual({
      one: '1 > 0',
      two: '"',
      three: '3',
      path: 'src/x.ts',
      four: '',
    })
    expect(attributesOf('<a\n  one = "1"\n>x</a >')).toEqual({ one: '1' })
  })

  test('have attributes of any name without harm', () => {
    const { a } = tagParser({ tags: { required: ['a'] } }).parse('<a __proto__="x" constructor="y">z</a>').tags
    expect([...a[0].attributes]).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ])
  })

  test('may be empty', () => {
    expect(readA('<a></a><a/><a x="1" />')).toEqual(['', '', ''])
  })

  test('keep other tags in their content as text, listed or not', () => {
    const { tags } = tagParser({ tags: { optional: ['outer', 'inner'] } }).parse(
      '<outer>1 <inner>2</inner> <b>3</b></outer><inner>4</inner>',
    )
    expect(contents(tags.outer)).toEqual(['1 <inner>2</inner> <b>3</b>'])
    expect(contents(tags.inner)).toEqual(['4'])
  })

  test('keep tags of their own name that are balanced in their content', () => {
    expect(readA('<a>1<a>2</a>3</a>')).toEqual(['1<a>2</a>3'])
  })

  test('are not confused by a mention of their name', () => {
    expect(readA('I will answer in <a> tags.\n<a>42</a>')).toEqual(['42'])
    expect(readA('</a> <a>42</a> </a>')).toEqual(['42'])
    expect(readA('a < b, <a >42</a>, <a')).toEqual(['42'])
  })

  test('need their exact name', () => {
    expect(readA('<A>1</A><aa>2</aa><a-b>3</a-b><a:b>4</a:b>< a>5</a>')).toEqual([])
  })

  test('may be named like a member of every object', () => {
    const { tags } = tagParser({ tags: { optional: ['constructor', '__proto__'] } }).parse('<__proto__>x</__proto__>')
    expect(Object.keys(tags)).toEqual(['constructor', '__proto__'])
    expect(tags.constructor).toEqual([])
  })
})

describe('fenced blocks', () => {
  const read = (text: string) => tagParser({ fences: { optional: ['json', 'c++'] } }).parse(text).fences

  test('are read by the first word of their info string', () => {
    const text = '```json title="x"\n{\n  "a": 1\n}\n```\ntext\n~~~c++\nint x;\n~~~\n```json\n```'
    expect(read(text)).toEqual({ json: ['{\n  "a": 1\n}', ''], 'c++': ['int x;'] })
  })

  test('are closed by a fence that is at least as long, and hold shorter ones', () => {
    expect(read('````json\n```json\n1\n```\n`````').json).toEqual(['```json\n1\n```'])
    expect(read('```json\n~~~\n```').json).toEqual(['~~~'])
  })

  test('may be indented, and may end their lines as on Windows', () => {
    expect(read('1. So:\n   ```json\n   1\n   ```').json).toEqual(['   1'])
    expect(read('```json\r\n1\r\n```\r\n').json).toEqual(['1'])
  })

  test('that are never closed are none, for the reply was cut', () => {
    expect(read('```json\n{"a": 1').json).toEqual([])
  })

  test('do not begin inside a line, nor inside another fenced block', () => {
    expect(read('Write ```json\n1\n```').json).toEqual([])
    expect(read('```json``` is\n1\n').json).toEqual([])
    expect(read('```\n```json\n1\n```\n').json).toEqual([])
  })

  test('and tags are read each for itself', () => {
    const parser = tagParser({ tags: { required: ['a'] }, fences: { required: ['json'] } })
    const reply = parser.parse('<a>\n```json\n1\n```\n</a>')
    expect(contents(reply.tags.a)).toEqual(['```json\n1\n```'])
    expect(reply.fences.json).toEqual(['1'])
  })
})

test('signals are there or not', () => {
  const parser = tagParser({ signals: ['STOP', 'MORE'] })
  expect(parser.parse('Done. <STOP>').signals).toEqual({ STOP: true, MORE: false })
  expect(parser.parse('<MORE/>, <STOP />').signals).toEqual({ STOP: true, MORE: true })
  expect(parser.parse('STOP </STOP> <STOPPED> <stop>').signals).toEqual({ STOP: false, MORE: false })
})

describe('a reply that lacks something required', () => {
  const parser = tagParser({ tags: { required: ['summary', 'verdict'] }, fences: { required: ['json'] } })

  test('is told all that it lacks, in words for the model', () => {
    expect(() => parser.parse('<verdict>good</verdict>')).toThrow(
      new ParseError(
        'The reply lacks a block <summary>…</summary>, ' +
          'and a fenced block that begins with a line ```json and ends with a line ```.',
      ),
    )
  })

  test('is told of a tag that was never closed', () => {
    expect(() => parser.parse('```json\n1\n```\n<verdict>good</verdict><summary>It was cut he')).toThrow(
      'The reply lacks a block <summary>…</summary> (<summary> is there, but </summary> does not follow).',
    )
  })
})

describe('the spec', () => {
  test('is told to the provider as the format of the reply', () => {
    const { format } = tagParser({
      tags: { required: ['a'], optional: ['b'] },
      fences: { optional: ['json'] },
      signals: ['STOP'],
    })
    expect(format).toEqual({ kind: 'tags', tags: ['a', 'b'], fences: ['json'], signals: ['STOP'] })
  })

  test('is refused when a name can never be found, or stands for two things', () => {
    expect(() => tagParser({ tags: { required: ['a b'] } })).toThrow('"a b" cannot be the name of a tag')
    expect(() => tagParser({ signals: ['<STOP>'] })).toThrow('"<STOP>" cannot be the name of a tag')
    expect(() => tagParser({ fences: { optional: ['```'] } })).toThrow('cannot be the name of a fenced block')
    expect(() => tagParser({ tags: { required: ['a'], optional: ['a'] } })).toThrow('lists the tag "a" twice')
    expect(() => tagParser({ tags: { required: ['STOP'] }, signals: ['STOP'] })).toThrow('lists the tag "STOP" twice')
  })
})

describe('whatever a model writes', () => {
  const parser = tagParser({
    tags: { optional: ['a', 'b'] },
    fences: { optional: ['json'] },
    signals: ['STOP'],
  })
  const shreds = [
    '<a>',
    '</a>',
    '<b>',
    '</b>',
    '<a x="',
    '<',
    '>',
    '"',
    "'",
    '/',
    '=',
    '```json\n',
    '```\n',
    '<STOP>',
    'text',
    ' ',
    '\n',
  ]

  test('blocks are parts of the text that do not overlap', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...shreds), { maxLength: 60 }), (pieces) => {
        const text = pieces.join('')
        const { tags, fences } = parser.parse(text)
        const found = contents([...tags.a, ...tags.b])
        for (const content of [...found, ...fences.json]) expect(text).toContain(content)
        expect(found.join('').length).toBeLessThanOrEqual(text.length)
        expect(fences.json.join('').length).toBeLessThanOrEqual(text.length)
      }),
    )
  })

  test('a block that is written is read back, whatever text is around it', () => {
    const plain = fc.string().map((text) => text.replaceAll('<', '').replaceAll('\n', ''))
    fc.assert(
      fc.property(plain, plain, plain, (before, content, after) => {
        const { tags } = parser.parse(`${before}<a>${content}</a>${after}`)
        expect(contents(tags.a)).toEqual([content.trim()])
      }),
    )
  })

  // A scan that is quadratic in these megabytes takes hours, so the limit of a test's time is the judge.
  test.each([
    ['opening tags', '<a>'],
    ['closing tags', '</a>'],
    ['nested tags', '<a><b>'],
    ['angle brackets', '<'],
    ['unfinished openings', '<a '],
    ['unfinished attributes', '<a x="'],
    ['quotes that span tags', `<a b="<a c='" b='`],
    ['one opening with many attributes', ' x'],
    ['white space', ' '],
    ['fences that none closes', '```json\n'],
    ['backticks', '`'],
    ['line breaks', '\n'],
    ['blocks', '<a x="1">y</a>'],
  ])('a megabyte of %s is read in one pass', (_name, shred) => {
    const text = `<a${shred.repeat(1_000_000 / shred.length)}`
    const { tags } = parser.parse(text)
    expect(contents(tags.a).join('').length).toBeLessThan(text.length)
  })

  test('deeply nested tags are one block', () => {
    const depth = 100_000
    expect(readA('<a>'.repeat(depth) + '</a>'.repeat(depth))).toHaveLength(1)
  })
})
