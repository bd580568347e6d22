/**
 * The same promise, whose rejection ends no process if nobody waits for it, or not yet: whoever makes it has told of the failure elsewhere.
 */
export function quietly<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => {})
  return promise
}
