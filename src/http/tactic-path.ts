import type { BoundTactic } from '../engine/engine.ts'

/** The path of a tactic for the router, to which a colon says that a parameter begins, and two that a colon is meant. */
export function tacticPath({ address }: Pick<BoundTactic, 'address'>): string {
  return `/${address.replaceAll(':', '::')}`
}

/** The path of a route as a caller writes it, with its parameters as `replace` says: `/tactics/:name`. */
export function readRoutePath(route: string, replace: (parameter: string) => string): string {
  return route.replace(/::|:([a-z_]+)/g, (_colons, parameter?: string) => {
    return parameter === undefined ? ':' : replace(parameter)
  })
}
