/** Names of packages and of their sections become parts of paths and of ids, so they are held to this before anything else. */
export const packageName = /^[a-z0-9][a-z0-9_-]{0,63}$/

/** Something of a package: `package.section:path`, `package:path` where the section is clear, or a bare `path`. */
export interface ResourceUrl {
  readonly package?: string
  readonly section?: string
  readonly path: string
}

/** Reads the address of a resource. A text with no package's name before a `:` is a bare path. */
export function parseResourceUrl(text: string): ResourceUrl {
  const [, name, section, path] = /^([a-z0-9][a-z0-9_-]*)(?:\.([a-z0-9][a-z0-9_-]*))?:(?!:)(.*)$/s.exec(text) ?? []
  if (name === undefined || path === undefined) return { path: text }
  return { package: name, ...(section === undefined ? {} : { section }), path }
}
