import type { Page } from './answers.ts'
import { LllmFault } from './fault.ts'

type List<Item> = (cursor: { readonly cursor?: string }) => Promise<Page<Item>>

/** All entries of a list, page by page as they are looped over. */
export function followPages<Item>(list: List<Item>, cursor?: string): AsyncGenerator<Item, void, undefined> {
  return follow(list, cursor)
}

async function* follow<Item>(list: List<Item>, start: string | undefined): AsyncGenerator<Item, void, undefined> {
  let cursor: string | null | undefined = start
  do {
    const page: Page<Item> = await list(cursor == null ? {} : { cursor })
    yield* page.data
    // A page without an entry is the last one. Otherwise this might go on for ever, and nobody would notice.
    if (page.next_cursor !== null && (page.next_cursor === cursor || page.data.length === 0)) {
      throw new LllmFault('protocol', 'The service gives pages that do not come to an end.', { status: 200 })
    }
    cursor = page.next_cursor
  } while (cursor !== null)
}
