import { basename, dirname, resolve } from 'node:path'
import { parse, TomlError } from 'smol-toml'
import { z } from 'zod'
import { LllmError, listKnown } from '../domain/errors.ts'
import { readText } from './read-text.ts'

/** A part of a package: where its files are. */
export interface Section {
  /** Folders or files, relative to the folder of the package. They never leave it. */
  readonly paths: readonly string[]
  /** Whether the author wrote them down. A standard folder may be missing, a declared one may not. */
  readonly declared: boolean
}

/** What a package says about itself. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly description?: string
  /** The folder of the package, absolute. */
  readonly folder: string
  readonly prompts: Section
  readonly configs: Section
  readonly tactics: Section
}

/** Names become parts of paths and of ids, so they are held to this before anything else is done with them. */
export const packageName = /^[a-z0-9][a-z0-9_-]{0,63}$/

const manifestBytesMax = 64 * 1024
const pathsMax = 64

const sectionPath = z
  .string()
  .min(1)
  .max(512)
  .refine((path) => !leavesFolder(path), 'the path must stay inside the folder of the package')

const section = z.strictObject({ paths: z.array(sectionPath).max(pathsMax) }).optional()

const manifestFile = z.strictObject({
  package: z.strictObject({
    name: z.string().regex(packageName, `a name fits ${packageName.source}`),
    version: z.string().regex(/^[0-9A-Za-z][0-9A-Za-z.+-]{0,63}$/, 'a version looks like 1.0.0'),
    description: z.string().max(4096).optional(),
  }),
  prompts: section,
  configs: section,
  tactics: section,
})

/**
 * Reads `lllm.toml`. Nothing of the package is loaded or run.
 *
 * @throws LllmError `invalid-manifest`, with the line and the column of a mistake in its syntax.
 */
export async function readManifest(file: string): Promise<Manifest> {
  const value = parseToml(await readText(file, { code: 'invalid-manifest', bytesMax: manifestBytesMax }), file)
  const parsed = manifestFile.safeParse(value)
  if (!parsed.success) throw mistake(file, parsed.error.issues.map(tellIssue).join(' '))
  const { name, version, description } = parsed.data.package
  return {
    name,
    version,
    ...(description === undefined ? {} : { description }),
    folder: dirname(resolve(file)),
    prompts: toSection('prompts', parsed.data.prompts?.paths),
    configs: toSection('configs', parsed.data.configs?.paths),
    tactics: toSection('tactics', parsed.data.tactics?.paths),
  }
}

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
    prompts: toSection('prompts'),
    configs: toSection('configs'),
    tactics: toSection('tactics'),
  }
}

function toSection(standardFolder: string, paths?: readonly string[]): Section {
  return { paths: paths ?? [standardFolder], declared: paths !== undefined }
}

function parseToml(text: string, file: string): unknown {
  try {
    return parse(text, { maxDepth: 32, unsafeKeyBehaviour: 'throw' })
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    // Below its first line the message draws the place, which the line and the column say already.
    const [message = ''] = error.message.split('\n', 1)
    throw mistake(`${file}:${error.line}:${error.column}`, `${message}.`, file)
  }
}

function leavesFolder(path: string): boolean {
  return /^[/\\~]|^[A-Za-z]:|\0/.test(path) || path.split(/[/\\]/).includes('..')
}

function tellIssue(issue: z.core.$ZodIssue): string {
  const [first, ...rest] = issue.path.map(String)
  const place = [...(first === undefined ? [] : [`[${first}]`]), ...rest].join(' ')
  if (issue.code !== 'unrecognized_keys') return `${place}: ${issue.message}.`
  const [key = ''] = issue.keys
  if (first !== undefined) return `${place}: "${key}" is not known.`
  const known = listKnown(key, Object.keys(manifestFile.shape))
  return `The section [${key}] is not known to this version of lllm. ${known}`
}

function mistake(place: string, message: string, file = place) {
  return new LllmError('invalid-manifest', `${place}: ${message}`, { file })
}
