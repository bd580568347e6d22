import { describe, expect, test } from 'vitest'
import { isLllmError } from '../../src/domain/errors.ts'
import { readMcpConfig } from '../../src/mcp/mcp-config.ts'

function mistakeIn(mcpServers: unknown): string {
  try {
    readMcpConfig({ mcpServers }, 'mcp.json')
  } catch (error) {
    if (isLllmError(error) && error.code === 'invalid-settings') return error.message
    throw error
  }
  throw new Error('The file was accepted.')
}

describe('the file of MCP servers', () => {
  test('names commands and URLs, in the format of other MCP clients', () => {
    const config = readMcpConfig(
      {
        mcpServers: {
          files: { command: 'npx', args: ['-y', 'server-files'], env: { ROOT: '/data' }, cwd: '/srv' },
          search: { type: 'http', url: 'https://mcp.example.com/mcp', headers: { authorization: 'Bearer x' } },
          local: { url: 'http://localhost:3001/mcp' },
        },
      },
      'mcp.json',
    )
    expect([...config.keys()]).toEqual(['files', 'search', 'local'])
    expect(config.get('files')).toMatchObject({ kind: 'command', command: 'npx', cwd: '/srv', env: { ROOT: '/data' } })
    expect(config.get('search')).toMatchObject({ kind: 'url', headers: { authorization: 'Bearer x' } })
    expect(config.get('local')).toMatchObject({ kind: 'url', headers: {} })
  })

  test('may name no server at all', () => {
    expect(readMcpConfig({ mcpServers: {} }, 'mcp.json').size).toBe(0)
  })

  test.each([
    ['a server with neither command nor url', { a: {} }, '/mcpServers/a/command: A server has either a command'],
    ['a server with both', { a: { url: 'http://x', command: 'x' } }, '/mcpServers/a: Unrecognized key: "command"'],
    ['an unknown key', { a: { command: 'x', arg: [] } }, '/mcpServers/a: Unrecognized key: "arg"'],
    ['a url of another scheme', { a: { url: 'file:///x' } }, '/mcpServers/a/url: It must be an http or https URL'],
    ['credentials in a url', { a: { url: 'http://me:secret@x' } }, '/mcpServers/a/url: Credentials belong in headers'],
    [
      'a header of two lines',
      { a: { url: 'http://x', headers: { b: 'c\r\nd' } } },
      '/mcpServers/a/headers/b: A header',
    ],
    ['args that are no list', { a: { command: 'x', args: '-y' } }, '/mcpServers/a/args: '],
    ['the retired SSE transport', { a: { url: 'http://x', type: 'sse' } }, '/mcpServers/a/type: '],
    ['a name in capitals', { Files: { command: 'x' } }, '/mcpServers/Files: A name has 1 to 32 characters'],
    ['a name that could pass for another server', { a__b: { command: 'x' } }, '/mcpServers/a__b: A name has'],
    ['a name that ends in _', { a_: { command: 'x' } }, '/mcpServers/a_: A name has'],
    ['an entry that is no object', { a: 'npx' }, '/mcpServers/a: '],
  ])('refuses %s and says where', (_what, mcpServers, told) => {
    expect(mistakeIn(mcpServers)).toContain(`mcp.json: `)
    expect(mistakeIn(mcpServers)).toContain(told)
  })

  test('refuses what is no such file', () => {
    for (const value of [null, [], 'x', {}, { servers: {} }]) {
      expect(() => readMcpConfig(value, 'mcp.json')).toThrow('mcp.json: ')
    }
  })

  test('does not tell values, which may be secrets', () => {
    const told = mistakeIn({ a: { url: 'http://x', headers: { authorization: 'tokén\n' }, extra: 'hunter2' } })
    expect(told).not.toMatch(/tokén|hunter2/)
  })
})
