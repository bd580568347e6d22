import { pathOf } from './problem-reply.ts'

const pathLengthMax = 256

/** The path of a request as logs and traces tell it: without its query, which may hold anything. */
export function toldPathOf(url: string): string {
  return pathOf(url).slice(0, pathLengthMax)
}
