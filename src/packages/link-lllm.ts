import { registerHooks } from 'node:module'

let linkedUrl: string | undefined

/**
 * Makes `import … from 'lllm'` mean the copy of the library that is running, from whichever file it is imported.
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
      if (specifier === 'lllm' && linkedUrl !== undefined) return { url: linkedUrl, shortCircuit: true }
      try {
        return nextResolve(specifier, context)
      } catch (error) {
        if (!/^zod(?:\/|$)/.test(specifier) || !isNotFound(error)) throw error
        return nextResolve(specifier, { ...context, parentURL: import.meta.url })
      }
    },
  })
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'
}
