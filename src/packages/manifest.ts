import { basename, dirname, resolve } from 'node:path'
import { parse, TomlError } from 'smol-toml'
import type { z } from 'zod'
import { LllmError, listKnown } from '../domain/errors.ts'
import { packageName } from '../domain/resource-url.ts'
import {
  type Dependency,
  isStandardSection,
  type ManifestFile,
  manifestFile,
  standardSections,
} from './manifest-file.ts'
import { readText } from './read-text.ts'
import { type Section, standardSection, toSection } from './section.ts'
import { findTomlPlace } from './toml-place.ts'

/** What a package says about itself. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly description?: string
  /** The folder of the package, absolute. */
  readonly folder: string
  /** The manifest itself; undefined where a folder without one is served. */
  readonly file?: string
  readonly prompts: Section
  readonly configs: Section
  readonly tactics: Section
  /** The sections that the author has named, such as `assets`: files that are read when they are asked for. */
  readonly sections: ReadonlyMap<string, Section>
  readonly dependencies: readonly Dependency[]
}

/** Judged before anything is parsed. */
export const manifestBytesMax = 64 * 1024

/**
 * Reads `lllm.toml`. Nothing of the package is loaded or run.
 *
 * @throws LllmError `invalid-manifest`, with the line and the column of a mistake.
 */
export async function readManifest(file: string): Promise<Manifest> {
  return parseManifest(await readText(file, { code: 'invalid-manifest', bytesMax: manifestBytesMax }), file)
}

/** The same for a text that is not in a file yet. @throws LllmError `invalid-manifest` */
export function parseManifest(text: string, file: string): Manifest {
  const parsed = manifestFile.safeParse(parseToml(text, file))
  if (!parsed.success) throw new LllmError('invalid-manifest', tellIssues(parsed.error.issues, text, file), { file })
  const { package: identity, prompts, configs, tactics, dependencies, ...sections } = parsed.data
  const unfit = Object.keys(sections).find((name) => mistypedSection(name) !== undefined)
  if (unfit !== undefined) {
    const place = tellPlace(file, text, [unfit])
    const message = `The section [${unfit}] looks like [${mistypedSection(unfit)}]: a section of your own needs another name.`
    throw new LllmError('invalid-manifest', `${place}: ${message}`, { file })
  }
  return {
    name: identity.name,
    version: identity.version,
    ...(identity.description === undefined ? {} : { description: identity.description }),
    folder: dirname(resolve(file)),
    file: resolve(file),
    prompts: prompts === undefined ? standardSection('prompts') : toSection(prompts),
    configs: configs === undefined ? standardSection('configs') : toSection(configs),
    tactics: tactics === undefined ? standardSection('tactics') : toSection(tactics),
    sections: new Map(Object.entries(sections as CustomSections).map(([name, section]) => [name, toSection(section)])),
    dependencies: dependencies?.packages ?? [],
  }
}

type CustomSections = Readonly<Record<string, NonNullable<ManifestFile['prompts']>>>

/** What a folder without a manifest is taken for: the standard folders, under the name of the folder. */
export function standardManifest(folder: string): Manifest {
  const path = resolve(folder)
  const name = basename(path)
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]/g, '_')
    .replace(/^[_-]+/, '')
    .slice(0, 64)
  return {
    name: packageName.test(name) ? name : 'package',
    version: '0.0.0',
    folder: path,
    prompts: standardSection('prompts'),
    configs: standardSection('configs'),
    tactics: standardSection('tactics'),
    sections: new Map(),
    dependencies: [],
  }
}

function parseToml(text: string, file: string): unknown {
  try {
    return parse(text, { maxDepth: 32, unsafeKeyBehaviour: 'throw' })
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    // Below its first line the message draws the place, which the line and the column say already.
    const [message = ''] = error.message.split('\n', 1)
    throw new LllmError('invalid-manifest', `${file}:${error.line}:${error.column}: ${message}.`, { file })
  }
}

/** A name that is one slip away from a standard one. Its files would silently be served as nothing. */
function mistypedSection(name: string): string | undefined {
  if (isStandardSection(name)) return undefined
  return /^Did you mean "([a-z]+)"/.exec(listKnown(name, standardSections))?.[1]
}

/** At most this many mistakes are told at once. */
const issuesMax = 10

function tellIssues(issues: readonly z.core.$ZodIssue[], text: string, file: string): string {
  const told = issues.slice(0, issuesMax).map((issue) => {
    const key = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined
    const path = [...issue.path, ...(key === undefined ? [] : [key])].map(String)
    return `${tellPlace(file, text, path)}: ${tellIssue(issue)}`
  })
  return told.join('\n')
}

function tellPlace(file: string, text: string, path: readonly string[]): string {
  const { line, column } = findTomlPlace(text, path)
  return `${file}:${line}:${column}`
}

function tellIssue(issue: z.core.$ZodIssue): string {
  const [first, ...rest] = issue.path.map(String)
  const place = [...(first === undefined ? [] : [`[${first}]`]), ...rest].join(' ')
  if (issue.code === 'invalid_key') return `${place}: a section's name is a-z, 0-9, _ and -, at most 64.`
  if (issue.code !== 'unrecognized_keys') return `${place}: ${issue.message}.`
  const [key = ''] = issue.keys
  return `${place}: "${key}" is not known.`
}
