/** Does something many times, so many at once. */
export async function inBatches<Result>(
  count: number,
  atOnce: number,
  make: (index: number) => Promise<Result>,
): Promise<Result[]> {
  const made: Result[] = []
  while (made.length < count) {
    const indices = Array.from({ length: Math.min(atOnce, count - made.length) }, (_, place) => made.length + place)
    made.push(...(await Promise.all(indices.map(make))))
  }
  return made
}
