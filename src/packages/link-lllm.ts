import { registerHooks } from 'node:module'

/** What can be imported, and the module of each beside that of the public API. */
const entries: ReadonlyMap<string, string> = new Map([
  ['lllm', 'index'],
  ['lllm/testing', 'testing'],
  ['lllm/client', 'client'],
])

let linkedUrl: string | undefined

/**
 * Makes `import … from 'lllm'` mean the copy of the library that is running, from whichever file it is imported. So it does
 * with `lllm/testing` and `lllm/client`.
 *
 * A package that lies outside this project would otherwise find no library, or a copy of its own: then the classes of its
 * tactics would extend another base, and its errors and prompts would come from another version. In this project the name
 * would mean the compiled `dist`, even when the sources run.
 *
 * `zod` comes with the library, as the tools of its authors: a package that has none of its own gets this one.
 *
 * To be called before the first tactic is imported. Calling it again changes where the name leads, and adds no second hook.
 *
 * @param indexUrl The URL of the public API's module, `src/index.ts` or its compiled counterpart.
 */
export function linkLllm(indexUrl: string): void {
  const isHooked = linkedUrl !== undefined
  linkedUrl = indexUrl
  if (isHooked) return
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const entry = entries.get(specifier)
      if (entry !== undefined && linkedUrl !== undefined) return { url: urlOf(entry, linkedUrl), shortCircuit: true }
      try {
        return nextResolve(specifier, context)
      } catch (error) {
        if (!/^zod(?:\/|$)/.test(specifier) || !isNotFound(error)) throw error
        return { url: import.meta.resolve(specifier), shortCircuit: true }
      }
    },
  })
}

/** In sources and in the compiled form, all modules that can be imported lie beside each other. */
function urlOf(entry: string, indexUrl: string): string {
  return new URL(entry + indexUrl.slice(indexUrl.lastIndexOf('.')), indexUrl).href
}

function isNotFound(error: unknown): boolean {
  const codes: readonly unknown[] = ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND']
  return error instanceof Error && 'code' in error && codes.includes(error.code)
}
