import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { fileURLToPath } from 'node:url'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { json, openFaulty } from './faulty-service.ts'

const entry = new URL('../../src/client.ts', import.meta.url)

/** The modules that run when a module is imported, with their code: what is imported as a type only is not among them. */
function reach(url: URL, found = new Map<string, string>()): ReadonlyMap<string, string> {
  if (found.has(url.href)) return found
  const code = stripTypeScriptTypes(readFileSync(fileURLToPath(url), 'utf8'))
  found.set(url.href, code)
  for (const specifier of importsOf(code)) {
    expect(specifier, `an import of ${url.pathname}`).toMatch(/^\.\.?\//)
    reach(new URL(specifier, url), found)
  }
  return found
}

function importsOf(code: string): readonly string[] {
  const statements = /\bfrom\s*['"]([^'"]+)['"]|\bimport\s*\(?\s*['"]([^'"]+)['"]/g
  return [...code.matchAll(statements)].map(([, named, bare]) => named ?? bare ?? '')
}

test('lllm/client reaches nothing of Node, and no package', () => {
  const modules = [...reach(entry).keys()].map((href) => href.replace(/.*\/src\//, ''))
  expect(modules).toContain('client/create-client.ts')
  expect(modules.filter((path) => path.startsWith('domain/')).sort()).toEqual([
    'domain/server-sent-events.ts',
    'domain/service-url.ts',
  ])
})

/** Runs modules one after the other, those that are imported first, where there is nothing but what is given. */
function runIn(globals: object): typeof import('../../src/client.ts') {
  const modules = reach(entry)
  const done = new Map<string, string>()
  const nameOf = (from: string, specifier: string) => JSON.stringify(new URL(specifier, from).href)
  const translate = (href: string): void => {
    if (done.has(href)) return
    const code = modules.get(href) ?? ''
    done.set(href, '')
    for (const specifier of importsOf(code)) translate(new URL(specifier, href).href)
    const exported = [...code.matchAll(/^export (?:async )?(?:function|class|const) (\w+)/gm)].map(([, name]) => name)
    const body = code
      .replaceAll(/^import\s*(\{[^}]*\})\s*from\s*'([^']+)'/gm, (_all, names: string, specifier: string) => {
        return `const ${names} = modules[${nameOf(href, specifier)}]`
      })
      .replaceAll(/^export\s*\{[^}]*\}\s*from\s*'([^']+)'/gm, (_all, specifier: string) => {
        return `Object.assign(passedOn, modules[${nameOf(href, specifier)}])`
      })
      .replaceAll(/^export (?=\w)/gm, '')
    const own = JSON.stringify(href)
    const given = `{ ...passedOn, ${exported.join(', ')} }`
    done.delete(href)
    done.set(href, `modules[${own}] = (() => { const passedOn = {}; ${body}\nreturn ${given} })()`)
  }
  translate(entry.href)
  const script = `'use strict'; const modules = {};\n${[...done.values()].join('\n')}\nmodules['${entry.href}']`
  return runInNewContext(script, { ...globals })
}

test('it runs where there is a fetch and little else', async () => {
  const events =
    'event: result\ndata: {"result":"HI","session_id":"s","cost_usd":0}\n\nevent: end\ndata: {"end":true}\n\n'
  const { url } = await openFaulty((reply, { url: path }) => {
    if (path?.endsWith('/stream')) reply.writeHead(200, { 'content-type': 'text/event-stream' }).end(events)
    else if (path?.endsWith('/bad')) reply.writeHead(502, { 'content-type': 'text/html' }).end('<h1>')
    else json({ result: 'HI', session_id: 's', cost_usd: 0 })(reply)
  })
  const { createClient, LllmFault } = runIn({
    fetch,
    TextDecoder,
    AbortController,
    ReadableStream,
    URL,
    URLSearchParams,
  })
  const client = createClient({ url })
  expect((await client.tactic('shout').call('hi')).result).toBe('HI')
  expect((await client.tactic('shout').stream('hi').result).result).toBe('HI')
  await expect(client.tactic('bad').call('hi')).rejects.toThrow(LllmFault)
})
