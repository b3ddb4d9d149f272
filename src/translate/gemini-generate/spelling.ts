// Members of Gemini bodies have two spellings, `maxOutputTokens` and `max_output_tokens`, and lists of one may be
// given without brackets: the service takes both. Owns that tolerance; what we write is camelCase and bracketed.

import { JsonArray, JsonObject } from '../bytes/json-tree.ts'
import type { Extra } from '../prompt.ts'

const SNAKES = new Map<string, string>()

function snakeOf(name: string): string {
  let snake = SNAKES.get(name)
  if (snake === undefined) {
    snake = name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
    SNAKES.set(name, snake)
  }
  return snake
}

/** Both spellings of every name. */
export function both(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.flatMap(name => [name, snakeOf(name)]))
}

/** The name under which the client gave a member: its camelCase name unless only the other one is there. */
export function spelled(node: JsonObject, name: string): string {
  if (node.keys.includes(name)) return name
  const snake = snakeOf(name)
  return node.keys.includes(snake) ? snake : name
}

/** Objects of a list, or the one object that stands for a list of one. */
export function objectsOf(node: JsonObject, name: string): readonly JsonObject[] {
  const key = spelled(node, name)
  const value = node.get(key)
  if (value instanceof JsonObject) return [value]
  return node.array(key)?.objects() ?? []
}

/** True when a member is a list or an object that stands for one. */
export function hasList(node: JsonObject, name: string): boolean {
  const value = node.get(spelled(node, name))
  return value instanceof JsonArray || value instanceof JsonObject
}

/** Unknown members of a member, named by their path: `generationConfig/speechConfig`. */
export function extrasWithin(node: JsonObject, path: string, known: ReadonlySet<string>): Extra[] {
  return node.extras(known).map(extra => ({ name: `${path}/${extra.name}`, json: extra.json }))
}

/** Of members named by path those that stand directly in `path`; '' for the top. */
export function extrasAt(extras: readonly Extra[], path: string): Extra[] {
  const start = path === '' ? '' : `${path}/`
  return extras
    .filter(extra => extra.name.startsWith(start) && !extra.name.includes('/', start.length))
    .map(extra => ({ name: extra.name.slice(start.length), json: extra.json }))
}
