/** What is kept of the texts of a call, the most first. */
export const storeContents = ['full', 'redacted', 'none'] as const
export type StoreContent = (typeof storeContents)[number]

/** Of several, the one that keeps least. */
export function leastOf(...contents: readonly StoreContent[]): StoreContent {
  const least = Math.max(0, ...contents.map((content) => storeContents.indexOf(content)))
  return storeContents[least] ?? 'none'
}
