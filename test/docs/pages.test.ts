import { existsSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readAnchors, readBlocks, readLinks, readSource, readText, root } from './markdown.ts'

const docs = readdirSync(new URL('docs/', root)).filter((file) => file.endsWith('.md'))
const pages = ['README.md', 'CHANGELOG.md', 'SECURITY.md', ...docs.map((file) => `docs/${file}`)]

/** Pages whose code has to come from files that run. */
const pagesWithSources = [
  'README.md',
  'docs/authoring.md',
  'docs/client.md',
  'docs/configuration.md',
  'docs/from-python.md',
  'docs/embedding.md',
  'docs/packages.md',
  'docs/privacy.md',
  'docs/testing.md',
]
const languagesWithSources = ['ts', 'yaml', 'toml', 'md']

describe.each(pagesWithSources)('the code of %s', (page) => {
  const blocks = readBlocks(readText(page))

  test('is what the files hold that it comes from', () => {
    for (const { source, text, line } of blocks) {
      if (source !== undefined) expect(text, `${page}:${line}`).toBe(readSource(source))
    }
  })

  test('comes from files, unless nothing could run it', () => {
    const orphans = blocks.filter(({ language, source }) => {
      return source === undefined && languagesWithSources.includes(language)
    })
    expect(orphans.map(({ line }) => `${page}:${line}`)).toEqual([])
  })
})

test.each(pages)('every relative link of %s leads somewhere', (page) => {
  const markdown = readText(page)
  const broken = readLinks(markdown).filter((link) => !/^https?:/.test(link) && !leadsSomewhere(link, page))
  expect(broken).toEqual([])
})

function leadsSomewhere(link: string, page: string): boolean {
  const { pathname, hash } = new URL(link, new URL(page, root))
  if (!existsSync(new URL(pathname, root))) return false
  return hash === '' || readAnchors(readText(pathname)).includes(hash.slice(1))
}
