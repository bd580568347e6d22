import { LllmError } from '../domain/errors.ts'
import { type AnyPrompt, isPrompt } from '../domain/prompt.ts'
import { importModule, isAuthorsModule } from './import-module.ts'
import type { ListedFile } from './list-files.ts'
import { readPrompt } from './read-prompt.ts'
import { readText } from './read-text.ts'

/** Beyond the context of any model. */
export const promptBytesMax = 1024 * 1024

export function isPromptFile(fileName: string): boolean {
  return fileName.endsWith('.md') ? !fileName.startsWith('_') : isAuthorsModule(fileName)
}

/**
 * Reads prompts from `.md` files and from modules. A prompt's path is the path of its file, followed by the name of its
 * export where a module exports several; its default export keeps the path of the file.
 *
 * @throws LllmError `invalid-prompt` for a file that holds no prompt or a mistake, and for two prompts of one path.
 */
export async function loadPrompts(files: readonly ListedFile[]): Promise<ReadonlyMap<string, AnyPrompt>> {
  const prompts = new Map<string, { readonly file: string; readonly prompt: AnyPrompt }>()
  for (const listed of files) {
    const { file } = listed
    const found = file.endsWith('.md') ? [await loadText(listed)] : await loadModule(listed)
    for (const [path, prompt] of found) {
      const other = prompts.get(path)
      if (other !== undefined) {
        throw mistake(file, `${other.file} has the prompt "${path}" already: rename one of them.`)
      }
      prompts.set(path, { file, prompt })
    }
  }
  return new Map([...prompts].map(([path, { prompt }]) => [path, prompt]))
}

type Named = readonly [path: string, prompt: AnyPrompt]

async function loadText({ file, name }: ListedFile): Promise<Named> {
  const text = await readText(file, { code: 'invalid-prompt', bytesMax: promptBytesMax })
  return [name, readPrompt(text, { file, path: name })]
}

async function loadModule({ file, name }: ListedFile): Promise<readonly Named[]> {
  const exported = await importModule(file, 'invalid-prompt')
  const found = [...exported].flatMap(([exportName, value]) => (isPrompt(value) ? [{ exportName, value }] : []))
  if (found.length === 0) {
    const names = exported.size === 0 ? 'nothing' : [...exported.keys()].join(', ')
    throw mistake(file, `It exports no prompt made by definePrompt. It exports ${names}.`)
  }
  return found.map(({ exportName, value }) => {
    const path = found.length === 1 || exportName === 'default' ? name : `${name}/${exportName}`
    return [path, value.extend({ path })]
  })
}

function mistake(file: string, message: string) {
  return new LllmError('invalid-prompt', `${file}: ${message}`, { file })
}
