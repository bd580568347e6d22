import type { SectionPath } from './manifest-file.ts'

/** A part of a package: where its files are. */
export interface Section {
  /** Folders or files, relative to the folder of the package. They never leave it. */
  readonly paths: readonly SectionPath[]
  /** Whether the author wrote them down. A standard folder may be missing, a declared one may not. */
  readonly declared: boolean
}

export function toSection({ paths }: { readonly paths: readonly SectionPath[] }): Section {
  return { paths, declared: true }
}

/** A section that the manifest does not speak of: the folder of its name, if there is one. */
export function standardSection(folder: string): Section {
  return { paths: [{ path: folder, prefix: '' }], declared: false }
}
