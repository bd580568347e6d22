/** Methods that are called by their names, with their arguments as a list: whatever passes them on need not know each of them. */
export type CallByName<Port> = (method: keyof Port, args: readonly unknown[]) => Promise<unknown>

/** A port at the other end of something that passes calls on by the names of its methods. */
export function overCalls<Port>(names: readonly (keyof Port)[], call: CallByName<Port>): Port {
  const methods = names.map((name) => [name, (...args: readonly unknown[]) => call(name, args)])
  return Object.fromEntries(methods) as Port
}

/** Calls the methods of a port by their names. */
export function callsOf<Port>(port: Port): CallByName<Port> {
  return (method, args) => (port[method] as (...given: readonly unknown[]) => Promise<unknown>)(...args)
}
