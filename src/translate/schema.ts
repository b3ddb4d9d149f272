// JSON Schemas that a target wants differently. Schemas belong to the customer: what need not change is copied from
// its source text, in its order and spelling.

import { JsonArray, JsonObject, type JsonValue, readJson } from './bytes/json-tree.ts'
import { JsonOut } from './bytes/json-out.ts'

export const EMPTY_OBJECT_SCHEMA = '{"type":"object","properties":{}}'

/** Schema of a function's parameters as all dialects but OpenAI's want it: an object, with its type said. */
export function objectSchema(schema: string | null): string {
  if (schema === null) return EMPTY_OBJECT_SCHEMA
  // As nearly all begin: no need to read the rest.
  if (schema.startsWith('{"type":"')) return schema
  const tree = readJson(schema)
  if (!(tree instanceof JsonObject) || tree.has('type')) return schema
  return schema === '{}' ? EMPTY_OBJECT_SCHEMA : `{"type":"object",${schema.slice(1)}`
}

/** True when every object in the schema closes its members and requires all of them: OpenAI's strict form. */
export function isStrictSchema(schema: string): boolean {
  return isStrict(readJson(schema))
}

function isStrict(value: JsonValue): boolean {
  if (value instanceof JsonArray) return value.values.every(isStrict)
  if (!(value instanceof JsonObject)) return true
  const properties = value.get('properties')
  if (properties instanceof JsonObject) {
    const required = value.get('required')
    const names = required instanceof JsonArray ? required.values : []
    if (value.get('additionalProperties') !== false) return false
    if (!properties.keys.every(key => names.includes(key))) return false
  }
  return value.values.every(isStrict)
}

/** Keywords that structured output of Messages and Converse refuses; their meaning moves into the description. */
const BOUNDS: ReadonlySet<string> = new Set([
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'pattern',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
])

/**
 * A schema without bounds and patterns, with closed objects. What was taken out is told in the description of the
 * same element. Returns the same text when nothing had to change.
 */
export function boundlessSchema(schema: string): string {
  const out = new JsonOut()
  writeBoundless(out, readJson(schema), schema, false)
  return out.text
}

function writeBoundless(out: JsonOut, value: JsonValue, json: string, named: boolean): void {
  if (value instanceof JsonArray) {
    out.array()
    for (const [index, item] of value.values.entries()) writeBoundless(out, item, value.jsonAt(index), false)
    out.endArray()
  } else if (value instanceof JsonObject) {
    writeBoundlessObject(out, value, named)
  } else out.raw(json)
}

/** `named`: the members are names of the customer (properties, definitions), not keywords. */
function writeBoundlessObject(out: JsonOut, node: JsonObject, named: boolean): void {
  out.object()
  const bounds: string[] = []
  for (const [index, key] of node.keys.entries()) {
    const value = node.values[index]!
    const json = node.jsonOf(key) ?? 'null'
    if (!named && BOUNDS.has(key)) bounds.push(`${key}: ${json}`)
    else if (named || (key !== 'description' && key !== 'additionalProperties')) {
      out.key(key)
      if (!named && (key === 'enum' || key === 'const' || key === 'default' || key === 'examples'))
        out.raw(json)
      else writeBoundless(out, value, json, !named && NAMED.has(key))
    }
  }
  if (!named) {
    const description = node.get('description')
    const told = [...(typeof description === 'string' ? [description] : []), ...bounds]
    if (told.length > 0) out.member('description', told.join('; '))
    if (node.get('type') === 'object' || node.has('properties')) out.member('additionalProperties', false)
  }
  out.endObject()
}

const NAMED: ReadonlySet<string> = new Set(['properties', '$defs', 'definitions', 'patternProperties'])

/** Parameters of a custom tool where only functions exist: one string. */
export const CUSTOM_INPUT_SCHEMA =
  '{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}'

/** Description of a custom tool with its grammar, which no function can carry. */
export function customDescription(
  description: string | null,
  grammar: { readonly syntax: string; readonly definition: string } | null,
): string | null {
  if (grammar === null) return description
  const told = `The input must follow this ${grammar.syntax} grammar:\n${grammar.definition}`
  return description === null ? told : `${description}\n\n${told}`
}

/** The instruction that asks for JSON where no member can. */
export function jsonInstruction(schema: string | null): string {
  const wish = 'Answer with one JSON object only, without any other text.'
  return schema === null ? wish : `${wish} It must match this JSON Schema:\n${schema}`
}
