/**
 * Does one piece of work after another, in the order in which they are asked for: what there is only one of, such as a connection with its
 * transactions, is theirs in turn. One that fails does not keep the next from being done.
 */
export function openTurns(): <Result>(work: () => Promise<Result>) => Promise<Result> {
  let previous: Promise<unknown> = Promise.resolve()
  return (work) => {
    const current = previous.then(work)
    previous = current.catch(() => undefined)
    return current
  }
}
