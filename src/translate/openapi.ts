// Schemas in Gemini's subset of OpenAPI, both ways. Owns the differences to JSON Schema: type names, `nullable`,
// counts as strings, order of members, and what the subset cannot say. Values of the customer are copied as text.

import { JsonArray, JsonObject, type JsonValue, readJson } from './bytes/json-tree.ts'
import { JsonOut } from './bytes/json-out.ts'

/** The JSON Schema that says the same. A text that is no schema stays as it is. */
export function jsonSchemaOf(openapi: string): string {
  const tree = readJson(openapi)
  if (!(tree instanceof JsonObject)) return openapi
  const out = new JsonOut()
  writeJsonSchema(out, tree)
  return out.text
}

/** Bodies may spell members with underscores. */
function camelOf(name: string): string {
  return name.includes('_') ? name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()) : name
}

function memberOf(node: JsonObject, camel: string): JsonValue | undefined {
  const index = node.keys.findLastIndex(key => camelOf(key) === camel)
  return index === -1 ? undefined : node.values[index]
}

function writeJsonSchema(out: JsonOut, node: JsonObject): void {
  const nullable = memberOf(node, 'nullable') === true
  out.object()
  for (const [index, key] of node.keys.entries()) {
    if (node.keys.lastIndexOf(key) !== index) continue
    const value = node.values[index]!
    const name = camelOf(key)
    const json = node.jsonOf(key) ?? 'null'
    if (name === 'nullable' || name === 'propertyOrdering') continue
    if (name === 'type') writeType(out, value, json, nullable)
    else if (name === 'format' && typeof value === 'string' && WIDTHS.has(value)) continue
    else if (name === 'enum' && nullable && json.endsWith(']')) {
      out.memberRaw('enum', json === '[]' ? '[null]' : `${json.slice(0, -1)},null]`)
    } else if (name === 'example') out.memberRaw('examples', `[${json}]`)
    else if (name === 'properties' && value instanceof JsonObject) writeProperties(out, node, value)
    else if (name === 'items' && value instanceof JsonObject) writeJsonSchema(out.key('items'), value)
    else if (name === 'anyOf' && value instanceof JsonArray) writeAnyOf(out, value, node, nullable)
    else if (COUNTS.has(name) && typeof value === 'string' && /^\d+$/.test(value)) out.memberRaw(name, value)
    else out.memberRaw(name, json)
  }
  out.endObject()
}

/** Formats that only this subset knows; validators of JSON Schema refuse what they do not know. */
const WIDTHS: ReadonlySet<string> = new Set(['enum', 'int32', 'int64', 'float', 'double'])

const COUNTS: ReadonlySet<string> = new Set([
  'minItems',
  'maxItems',
  'minLength',
  'maxLength',
  'minProperties',
  'maxProperties',
])

function writeType(out: JsonOut, value: JsonValue, json: string, nullable: boolean): void {
  if (typeof value !== 'string') out.memberRaw('type', json)
  else if (value !== 'TYPE_UNSPECIFIED') {
    const word = JSON.stringify(value.toLowerCase())
    out.memberRaw('type', nullable ? `[${word},"null"]` : word)
  }
}

/** Members in the order the customer wants them generated. */
function writeProperties(out: JsonOut, node: JsonObject, properties: JsonObject): void {
  const ordering = memberOf(node, 'propertyOrdering')
  const wanted = ordering instanceof JsonArray ? ordering.values.filter(name => typeof name === 'string') : []
  const first = wanted.filter(name => properties.keys.includes(name))
  out.key('properties').object()
  for (const key of new Set([...first, ...properties.keys])) {
    const value = properties.get(key)
    out.key(key)
    if (value instanceof JsonObject) writeJsonSchema(out, value)
    else out.raw(properties.jsonOf(key) ?? 'null')
  }
  out.endObject()
}

function writeAnyOf(out: JsonOut, list: JsonArray, node: JsonObject, nullable: boolean): void {
  out.key('anyOf').array()
  for (const [index, item] of list.values.entries()) {
    if (item instanceof JsonObject) writeJsonSchema(out, item)
    else out.raw(list.jsonAt(index))
  }
  if (nullable && memberOf(node, 'type') === undefined) out.raw('{"type":"null"}')
  out.endArray()
}

export interface OpenapiSchema {
  readonly json: string
  /** True when the subset could not say everything. */
  readonly lossy: boolean
}

/** References are written out; more text than this is no schema a model can follow. Counted in UTF-16 units. */
const WRITTEN_UNITS_MAX = 1024 * 1024

/** The nearest schema of the subset. `refuse` is called for references that never end. */
export function openapiOf(schema: string, refuse: (message: string) => never): OpenapiSchema {
  const tree = readJson(schema)
  if (!(tree instanceof JsonObject)) return { json: '{}', lossy: schema !== 'true' }
  const writer = new SubsetWriter(tree, refuse)
  writer.write(tree)
  return { json: writer.out.text, lossy: writer.lossy }
}

/** Taken over as they are. */
const SAME = [
  'title',
  'default',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'minLength',
  'maxLength',
  'minProperties',
  'maxProperties',
  'pattern',
] as const

/** Left out without loss, or handled by name. */
const HANDLED: ReadonlySet<string> = new Set([
  ...SAME,
  '$schema',
  '$id',
  '$anchor',
  '$comment',
  '$defs',
  'definitions',
  '$ref',
  'allOf',
  'anyOf',
  'oneOf',
  'const',
  'description',
  'enum',
  'examples',
  'example',
  'format',
  'items',
  'nullable',
  'properties',
  'propertyOrdering',
  'required',
  'type',
])

const FORMATS: Readonly<Record<string, readonly string[]>> = {
  STRING: ['enum', 'date-time'],
  NUMBER: ['float', 'double'],
  INTEGER: ['int32', 'int64'],
}

class SubsetWriter {
  readonly out = new JsonOut()
  lossy = false
  private readonly root: JsonObject
  private readonly refuse: (message: string) => never
  /** References that are being written out. */
  private readonly path: string[] = []

  constructor(root: JsonObject, refuse: (message: string) => never) {
    this.root = root
    this.refuse = refuse
  }

  write(value: JsonValue): void {
    if (this.out.text.length > WRITTEN_UNITS_MAX) this.refuse('the schema is too large when written out')
    if (!(value instanceof JsonObject)) {
      // `true` allows anything, and so does an empty schema.
      this.lossy ||= value !== true
      this.out.raw('{}')
      return
    }
    const depth = this.path.length
    this.schema(this.layers(value))
    this.path.length = depth
  }

  /** The node, what it refers to and what it combines: together they are one schema. */
  private layers(node: JsonObject): JsonObject[] {
    const layers = [node]
    const ref = node.get('$ref')
    if (typeof ref === 'string') {
      if (this.path.includes(ref)) this.refuse(`the schema refers to itself by ${ref}`)
      this.path.push(ref)
      const target = this.target(ref)
      if (target === null) this.lossy = true
      else layers.push(...this.layers(target))
    }
    const all = node.get('allOf')
    if (all instanceof JsonArray) {
      for (const item of all.values) if (item instanceof JsonObject) layers.push(...this.layers(item))
    }
    return layers
  }

  private target(ref: string): JsonObject | null {
    if (!ref.startsWith('#')) return null
    let value: JsonValue | undefined = this.root
    for (const token of ref.split('/').slice(1)) {
      const name = token.replaceAll('~1', '/').replaceAll('~0', '~')
      value = value instanceof JsonObject ? value.get(name) : undefined
    }
    return value instanceof JsonObject ? value : null
  }

  private schema(layers: JsonObject[]): void {
    const union = this.union(layers)
    const alternatives = union.filter(value => !isNullSchema(value))
    const only = alternatives[0]
    if (alternatives.length === 1 && only instanceof JsonObject) layers.push(...this.layers(only))
    const types = typesOf(layers)
    const values = enumOf(layers)
    const nullable =
      union.length > alternatives.length || types.includes('NULL') || values?.includes('null') === true
    const solid = types.filter(type => type !== 'NULL')
    const notes: string[] = []
    let type = solid.length === 1 ? solid[0]! : ''
    if (values !== null) type = 'STRING'
    else if (type === '' && layers.some(layer => layer.get('properties') instanceof JsonObject))
      type = 'OBJECT'
    const { out } = this
    out.object()
    if (type !== '') out.member('type', type)
    if (values !== null) this.writeEnum(values, solid)
    else this.writeFormat(layers, type, notes)
    if (nullable) out.member('nullable', true)
    for (const name of SAME) this.copy(layers, name)
    this.writeExample(layers)
    this.writeProperties(layers)
    this.writeItems(layers, type)
    if (alternatives.length > 1) this.writeAnyOf(alternatives)
    else if (solid.length > 1 && values === null) {
      out.memberRaw('anyOf', `[${solid.map(each => `{"type":"${each}"}`).join(',')}]`)
    }
    this.writeDescription(layers, notes)
    out.endObject()
  }

  private union(layers: readonly JsonObject[]): JsonValue[] {
    for (const layer of layers) {
      const list = layer.get('anyOf') ?? layer.get('oneOf')
      if (list instanceof JsonArray) return [...list.values]
    }
    return []
  }

  private writeEnum(values: readonly string[], types: readonly string[]): void {
    const words = values.filter(value => value !== 'null').map(value => wordOf(value))
    if (types.some(type => type !== 'STRING')) this.lossy = true
    this.out.member('format', 'enum').memberRaw('enum', JSON.stringify(words))
  }

  private writeFormat(layers: readonly JsonObject[], type: string, notes: string[]): void {
    const format = first(layers, 'format')
    if (typeof format !== 'string') return
    if (FORMATS[type]?.includes(format)) this.out.member('format', format)
    else notes.push(`format: ${format}`)
  }

  private copy(layers: readonly JsonObject[], name: string): void {
    const owner = layers.find(layer => layer.has(name))
    if (owner !== undefined) this.out.memberRaw(name, owner.jsonOf(name) ?? 'null')
  }

  private writeExample(layers: readonly JsonObject[]): void {
    const examples = first(layers, 'examples')
    if (examples instanceof JsonArray && examples.length > 0)
      this.out.memberRaw('example', examples.jsonAt(0))
    else this.copy(layers, 'example')
  }

  private writeProperties(layers: readonly JsonObject[]): void {
    const owners = layers.flatMap(layer => {
      const properties = layer.get('properties')
      return properties instanceof JsonObject ? [properties] : []
    })
    const names = [...new Set(owners.flatMap(owner => owner.keys))]
    if (names.length === 0) return
    this.out.key('properties').object()
    for (const name of names) {
      this.out.key(name)
      this.write(owners.find(owner => owner.keys.includes(name))!.get(name)!)
    }
    this.out.endObject()
    const required = new Set(
      layers.flatMap(layer => {
        const list = layer.get('required')
        return list instanceof JsonArray ? list.values.filter(name => typeof name === 'string') : []
      }),
    )
    if (required.size > 0) this.out.memberRaw('required', JSON.stringify([...required]))
    // Without it the members of an answer come in alphabetical order.
    if (names.length > 1) this.out.memberRaw('propertyOrdering', JSON.stringify(names))
  }

  private writeItems(layers: readonly JsonObject[], type: string): void {
    const items = first(layers, 'items')
    if (items === undefined && type !== 'ARRAY') return
    this.out.key('items')
    this.write(items ?? true)
  }

  private writeAnyOf(alternatives: readonly JsonValue[]): void {
    this.out.key('anyOf').array()
    for (const alternative of alternatives) this.write(alternative)
    this.out.endArray()
  }

  /** What the subset has no member for is told in words. */
  private writeDescription(layers: readonly JsonObject[], notes: string[]): void {
    for (const layer of layers) {
      for (const key of layer.keys) {
        if (HANDLED.has(key)) continue
        const json = layer.jsonOf(key) ?? 'null'
        if (key === 'additionalProperties' && json === 'false') continue
        notes.push(`${key}: ${json}`)
      }
    }
    if (notes.length > 0) this.lossy = true
    const description = first(layers, 'description')
    const told = typeof description === 'string' ? [description, ...notes] : notes
    if (told.length > 0) this.out.member('description', told.join('; '))
  }
}

function first(layers: readonly JsonObject[], name: string): JsonValue | undefined {
  return layers.find(layer => layer.has(name))?.get(name)
}

function isNullSchema(value: JsonValue): boolean {
  return value instanceof JsonObject && value.get('type') === 'null'
}

/** Types in this subset's spelling. */
function typesOf(layers: readonly JsonObject[]): string[] {
  const type = first(layers, 'type')
  const types = type instanceof JsonArray ? type.values : [type]
  return types.flatMap(word => (typeof word === 'string' ? [word.toUpperCase()] : []))
}

/** Allowed values as JSON text, or null when any are. */
function enumOf(layers: readonly JsonObject[]): string[] | null {
  const owner = layers.find(layer => layer.get('enum') instanceof JsonArray)
  if (owner !== undefined) {
    const list = owner.get('enum') as JsonArray
    return list.values.map((_, index) => list.jsonAt(index))
  }
  const constant = layers.find(layer => layer.get('const') !== undefined)
  return constant === undefined ? null : [constant.jsonOf('const') ?? 'null']
}

/** A value as the word a model can choose: texts as they are, others as they are spelled. */
function wordOf(json: string): string {
  return json.startsWith('"') ? (JSON.parse(json) as string) : json
}

/**
 * A JSON Schema as this vendor's structured output takes it: `const` becomes a list of one value. The same text
 * when nothing has to change.
 */
export function withoutConst(schema: string): string {
  if (!schema.includes('"const"')) return schema
  const out = new JsonOut()
  writeWithoutConst(out, readJson(schema), schema, false)
  return out.text
}

/** `named`: the members are names of the customer (properties, definitions), not keywords. */
function writeWithoutConst(out: JsonOut, value: JsonValue, json: string, named: boolean): void {
  if (value instanceof JsonArray) {
    out.array()
    for (const [index, item] of value.values.entries())
      writeWithoutConst(out, item, value.jsonAt(index), false)
    out.endArray()
  } else if (value instanceof JsonObject) {
    out.object()
    for (const [index, key] of value.keys.entries()) {
      const text = value.jsonOf(key) ?? 'null'
      if (!named && key === 'const') out.memberRaw('enum', `[${text}]`)
      else if (!named && VALUES.has(key)) out.memberRaw(key, text)
      else writeWithoutConst(out.key(key), value.values[index]!, text, !named && NAMED.has(key))
    }
    out.endObject()
  } else out.raw(json)
}

const VALUES: ReadonlySet<string> = new Set(['enum', 'default', 'examples', 'example'])
const NAMED: ReadonlySet<string> = new Set(['properties', '$defs', 'definitions', 'patternProperties'])
