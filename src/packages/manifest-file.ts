import { z } from 'zod'
import { packageName } from '../domain/resource-url.ts'

/** A package that another one needs, as its manifest says it. */
export interface Dependency {
  /** The whole entry. */
  readonly text: string
  /** The folder of the package, relative to that of the manifest. */
  readonly path?: string
  /** Instead of a path: the name of a package that is installed. */
  readonly name?: string
  /** What the package is called by the one that needs it. */
  readonly alias?: string
}

/** A folder or a file of a section. */
export interface SectionPath {
  readonly path: string
  /** Put before the paths of what is found there, with its `/`; empty for most. */
  readonly prefix: string
}

/** Sections with a meaning of their own. Every other one holds plain files. */
export const standardSections = ['package', 'prompts', 'configs', 'tactics', 'dependencies'] as const

export function isStandardSection(name: string): boolean {
  return (standardSections as readonly string[]).includes(name)
}

const pathsMax = 64
const dependenciesMax = 64
const sectionsMax = 32

const sectionPath = z
  .string()
  .min(1)
  .max(512)
  .transform((text): SectionPath => {
    const [, path, prefix] = /^(.+?)\s+under\s+(\S+)$/.exec(text) ?? []
    return path === undefined ? { path: text, prefix: '' } : { path, prefix: `${prefix?.replace(/\/$/, '')}/` }
  })
  .refine(({ path }) => !leavesFolder(path), 'the path must stay inside the folder of the package')
  .refine(
    ({ prefix }) => /^(?:[A-Za-z0-9_-]{1,64}\/){0,8}$/.test(prefix),
    'what comes after "under" is a prefix such as shared or team/shared',
  )

const section = z.strictObject({ paths: z.array(sectionPath).max(pathsMax) })

const dependency = z
  .string()
  .min(1)
  .max(512)
  .transform((text, context): Dependency => {
    const [, target = text, alias] = /^(.+?)\s+as\s+(.*)$/.exec(text) ?? []
    if (alias !== undefined && !packageName.test(alias)) {
      context.addIssue(`the alias "${alias}" does not fit ${packageName.source}`)
    }
    const more = alias === undefined ? {} : { alias }
    if (packageName.test(target)) return { text, name: target, ...more }
    if (target.startsWith('/')) {
      context.addIssue(`"${target}" is absolute: a path is relative to the folder of the manifest`)
    } else if (!/^(?:\.{1,2}|[^/\\:]+)\//.test(target) && target !== '..') {
      context.addIssue(
        `"${target}" is neither a path such as ./lllm_packages/${target} nor the name of an installed package`,
      )
    }
    if (/[\\\0]/.test(target)) context.addIssue('a path is written with / and has no other separators')
    return { text, path: target, ...more }
  })

export const manifestFile = z
  .object({
    package: z.strictObject({
      name: z.string().regex(packageName, `a name fits ${packageName.source}`),
      version: z.string().regex(/^[0-9A-Za-z][0-9A-Za-z.+-]{0,63}$/, 'a version looks like 1.0.0'),
      description: z.string().max(4096).optional(),
    }),
    prompts: section.optional(),
    configs: section.optional(),
    // A tactic is called by the name in its class, so that a prefix would be without effect.
    tactics: section
      .refine(
        ({ paths }) => paths.every(({ prefix }) => prefix === ''),
        'tactics take no "under": their names are in their classes',
      )
      .optional(),
    dependencies: z.strictObject({ packages: z.array(dependency).max(dependenciesMax) }).optional(),
  })
  .catchall(section)
  .refine((file) => Object.keys(file).length <= sectionsMax, `there are more than ${sectionsMax} sections`)
  .superRefine((file, context) => {
    for (const name of Object.keys(file)) {
      if (!packageName.test(name)) {
        context.addIssue({ code: 'custom', path: [name], message: `a section's name fits ${packageName.source}` })
      }
    }
  })

export type ManifestFile = z.output<typeof manifestFile>

function leavesFolder(path: string): boolean {
  return /^[/\\~]|^[A-Za-z]:|\0/.test(path) || path.split(/[/\\]/).includes('..')
}
