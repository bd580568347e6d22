import { globSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'

const { dirname, join, normalize } = posix

/** A file of the house: its path from the top level, and its text. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

/** Lines that fit on a few screens. */
const linesMax = 200

/** The composition roots: the files directly in `src`, and the commands. They put everything together. */
const roots = 'src/'

const adapter = ['src/domain/', 'src/process/', 'src/outbound/']
/** What each floor may import from, beside itself. */
const floors: Readonly<Record<string, readonly string[]>> = {
  'src/domain/': [],
  // What a thread of Node can do for itself: it knows nothing of the house.
  'src/process/': [],
  'src/engine/': ['src/domain/'],
  // Where requests of this service may go: what all adapters have in common that make some.
  'src/outbound/': ['src/domain/'],
  'src/invokers/': adapter,
  'src/stores/': adapter,
  'src/packages/': adapter,
  'src/telemetry/': adapter,
  'src/mcp/': adapter,
  'src/webhooks/': adapter,
  'src/auth/': adapter,
  // It runs in browsers too: of the domain it uses what is pure to the last import, and a test looks after that.
  'src/client/': ['src/domain/'],
  // What authors script and look at in their tests.
  'src/testing/': ['src/domain/'],
  'src/remote/': [...adapter, 'src/client/'],
  'src/runs/': ['src/engine/', 'src/domain/'],
  'src/http/': ['src/runs/', 'src/engine/', 'src/domain/'],
  'routes/': ['src/http/', 'src/engine/', 'src/domain/'],
  // What an author may import is the public API, by the name of the package.
  'tactics/': [],
  'prompts/': [],
}

/** Where providers may be named: where their formats are spoken, and where settings choose them. */
const providerFloors = /^src\/(?:invokers\/|mcp\/|cli\/|[^/]+$)/
const provider = /\b(?:openai|anthropic|claude|gemini|mistral|ollama|bedrock|azure)\b/i
/** Configs name their wire format, and a comment may cite where a format is documented. */
const providerAllowed = /type: z\.literal\('openai'\)|https:\/\/platform\.openai\.com|^\s*(?:\*|\/\*\*|\/\/)/

/** The entries of the package: lists of what others may import, and nothing else. */
const entries: ReadonlySet<string> = new Set(['src/index.ts', 'src/client.ts', 'src/testing.ts'])

/** Who may read the environment: settings, and the roots that hand it to them. */
const environmentReaders = /^src\/(?:settings\.ts|main\.ts|cli\/)/

export function readHouse(root: string): readonly SourceFile[] {
  const paths = globSync('{src,routes,tactics,prompts}/**/*.ts', { cwd: root })
  return paths.map((path) => ({ path: path.replaceAll('\\', '/'), text: readFileSync(join(root, path), 'utf8') }))
}

/** The packages that are loaded with a file: by itself and by what it imports, but for types and what it imports later. */
export function packagesLoadedWith(entry: string, house: readonly SourceFile[]): ReadonlySet<string> {
  const texts = new Map(house.map(({ path, text }) => [path, text]))
  const seen = new Set<string>()
  const packages = new Set<string>()
  const visit = (path: string) => {
    if (seen.has(path)) return
    seen.add(path)
    const loaded = /^(?:import|export) (?!type\b)(?:[^'";]*?\bfrom )?'([^']+)'/gm
    for (const [, specifier = ''] of (texts.get(path) ?? '').matchAll(loaded)) {
      if (specifier.startsWith('.')) visit(normalize(join(dirname(path), specifier)))
      else packages.add(specifier)
    }
  }
  visit(entry)
  return packages
}

/** Everything that is wrong with a file, in words. */
export function violationsOf(file: SourceFile): readonly string[] {
  return [...importViolations(file), ...lineViolations(file), ...wordViolations(file)].map(
    (violation) => `${file.path} ${violation}`,
  )
}

function importViolations({ path, text }: SourceFile): readonly string[] {
  const floor = floorOf(path)
  const isBelow = (target: string | undefined) =>
    floor === roots || (floor !== undefined && [floor, ...(floors[floor] ?? [])].some((allowed) => allowed === target))
  return importsOf(text).flatMap((specifier) => {
    // What `node:module` does is to load code, as an import does.
    const isSystem = specifier.startsWith('node:') && specifier !== 'node:module'
    if (floor === 'src/domain/' && isSystem) return [`does no I/O, but imports ${specifier}`]
    if (floor === 'src/client/' && !specifier.startsWith('.')) return [`runs anywhere, but imports ${specifier}`]
    if (!specifier.startsWith('.') || isBelow(floorOf(normalize(join(dirname(path), specifier))))) return []
    return [`imports ${specifier}, which is not below it`]
  })
}

/** Undefined: the file is on no floor, so that it may import nothing of ours, and nobody may import it. */
function floorOf(path: string): string | undefined {
  if (/^src\/(?:cli\/(?:[a-z]+\/)?)?[^/]+$/.test(path)) return roots
  return Object.keys(floors).find((floor) => path.startsWith(floor))
}

function importsOf(text: string): readonly string[] {
  const statements =
    /^(?:import\s*|(?:import|export|\})[^'"\n]*\bfrom\s*)['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm
  return [...text.matchAll(statements)].map(([, still, dynamic]) => still ?? dynamic ?? '')
}

function lineViolations({ path, text }: SourceFile): readonly string[] {
  const count = text.trimEnd().split('\n').length
  const onlyReexports = text.split('\n').every((line) => /^(?:export .* from '.*'|\/\/.*|\s*)$/.test(line))
  return [
    ...(count > linesMax ? [`has ${count} lines, more than ${linesMax}`] : []),
    ...(onlyReexports && !entries.has(path) ? ['only passes on what other files export'] : []),
  ]
}

function wordViolations({ path, text }: SourceFile): readonly string[] {
  const lines = text.split('\n')
  const named = lines.find((line) => provider.test(line) && !providerAllowed.test(line))
  const isCode = path.startsWith('src/') || path.startsWith('routes/')
  return [
    ...(isCode && named !== undefined && !providerFloors.test(path) ? [`names a provider: ${named.trim()}`] : []),
    ...(/\bprocess\.env\b/.test(text) && !environmentReaders.test(path) ? ['reads the environment'] : []),
    ...(/\bconsole\./.test(text) && isCode ? ['writes to the console'] : []),
  ]
}
