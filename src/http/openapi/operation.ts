import type { ErrorCode } from '../../domain/errors.ts'
import type { JsonSchema } from '../../domain/json.ts'
import type { Access } from '../access.ts'

/** The parts of the OpenAPI 3.1 specification that this service uses. */

export interface Reference {
  readonly $ref: string
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  readonly description?: string
  readonly style?: 'form'
  readonly explode?: boolean
  readonly schema: JsonSchema
  readonly example?: unknown
}

export interface MediaType {
  readonly schema: JsonSchema
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>
}

export interface Response {
  readonly description: string
  readonly headers?: Readonly<Record<string, Reference>>
  readonly content?: Readonly<Record<string, MediaType>>
}

/** How a route describes itself. What all routes have in common is added when the document is made. */
export interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  readonly tags: readonly [OperationTag]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly required: boolean; readonly content: Readonly<Record<string, MediaType>> }
  /** The answers that are no problems, by their status. */
  readonly responses: Readonly<Record<number, Response>>
  /** What can go wrong here, beyond what can go wrong everywhere. */
  readonly errors?: readonly ErrorCode[]
  /** What it takes to be answered. */
  readonly access: Access
  /** The name of the one tactic that it has work, where it is for one. */
  readonly tactic?: string
  /** Whether it takes an `Idempotency-Key`. */
  readonly takesKey?: boolean
}

export const operationTags = {
  Tactics: 'Find tactics and call them.',
  Runs: 'Work that goes on without its caller, and survives its process.',
  Sessions: 'Look back at what was called, step by step.',
  Costs: 'What was spent, and on what.',
  Operating: 'For whoever runs the service.',
} as const

export type OperationTag = keyof typeof operationTags

export function componentRef(name: string): { readonly $ref: string } {
  return { $ref: `#/components/schemas/${name}` }
}

/** The shape of what was changed: the whole of it, or what those are told who may not look at it. */
export function changedRef(name: string, withoutTexts: string): { readonly anyOf: readonly [Reference, Reference] } {
  return { anyOf: [componentRef(name), componentRef(withoutTexts)] }
}

/** A JSON answer that has the shape of a component. */
export function jsonResponse(description: string, schema: JsonSchema, headers: Response['headers'] = {}): Response {
  return { description, headers, content: { 'application/json': { schema } } }
}
