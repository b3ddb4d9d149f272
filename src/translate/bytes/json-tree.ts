// Reads JSON text into a tree whose members remember where they stood, so that a caller can take the source text
// of any of them instead of a parsed value. Owns the checks of a client's body: wrong kinds are refused with the
// path of the member, what was found and what is allowed.
// The trick: a string without escapes is a slice; finding its end costs one native search.

import type { Extra } from '../prompt.ts'
import { TranslateError } from '../translate-error.ts'
import { compactJson } from './json-text.ts'

export type JsonValue = string | number | boolean | null | JsonObject | JsonArray

/** Deeper nesting is no prompt; it protects the stack. */
const DEPTH_MAX = 256

abstract class JsonNode {
  readonly source: string
  readonly parent: JsonObject | JsonArray | null
  /** Member name or index in the parent. */
  readonly place: string | number
  readonly values: JsonValue[]
  /** Start and end of each value in the source, two entries per value. */
  readonly spans: number[]
  start: number
  end: number
  private pointerMade: string | null

  constructor(source: string, parent: JsonObject | JsonArray | null, place: string | number, start: number) {
    this.source = source
    this.parent = parent
    this.place = place
    this.values = []
    this.spans = []
    this.start = start
    this.end = start
    this.pointerMade = null
  }

  /** JSON pointer of this node in its document. Made once: children and parts ask for it again and again. */
  get pointer(): string {
    this.pointerMade ??= this.makePointer()
    return this.pointerMade
  }

  private makePointer(): string {
    const { parent, place } = this
    if (parent === null) return ''
    const token = typeof place === 'number' ? place : place.replaceAll('~', '~0').replaceAll('/', '~1')
    return `${parent.pointer}/${token}`
  }

  /** The same as a caller writes it: `messages[3].content[0]`. */
  get path(): string {
    if (this.parent === null) return ''
    if (typeof this.place === 'number') return `${this.parent.path}[${this.place}]`
    return this.parent.path === '' ? this.place : `${this.parent.path}.${this.place}`
  }

  /** Source text of this node without white space. */
  get json(): string {
    return compactJson(this.source.slice(this.start, this.end))
  }
}

export class JsonArray extends JsonNode {
  get length(): number {
    return this.values.length
  }

  jsonAt(index: number): string {
    return compactJson(this.source.slice(this.spans[index * 2], this.spans[index * 2 + 1]))
  }

  /** Every element as an object, or a refusal that names the first that is none. */
  objects(): JsonObject[] {
    for (const [index, value] of this.values.entries()) {
      if (!(value instanceof JsonObject)) throw wrongKind(`${this.path}[${index}]`, value, 'an object')
    }
    return this.values as JsonObject[]
  }

  strings(): string[] {
    for (const [index, value] of this.values.entries()) {
      if (typeof value !== 'string') throw wrongKind(`${this.path}[${index}]`, value, 'a string')
    }
    return this.values as string[]
  }
}

export class JsonObject extends JsonNode {
  readonly keys: string[] = []

  /** Value of a member; the last one when it is given twice; undefined when it is absent. */
  get(name: string): JsonValue | undefined {
    const index = this.keys.lastIndexOf(name)
    return index === -1 ? undefined : this.values[index]
  }

  /** True when the member is given and not null. */
  has(name: string): boolean {
    const value = this.get(name)
    return value !== undefined && value !== null
  }

  /** Source text of a member without white space, or null when absent or null. */
  jsonOf(name: string): string | null {
    const index = this.keys.lastIndexOf(name)
    if (index === -1 || this.values[index] === null) return null
    return compactJson(this.source.slice(this.spans[index * 2], this.spans[index * 2 + 1]))
  }

  pathOf(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`
  }

  pointerOf(name: string): string {
    return `${this.pointer}/${name}`
  }

  string(name: string): string | null {
    const value = this.get(name)
    if (value === undefined || value === null) return null
    if (typeof value !== 'string') throw wrongKind(this.pathOf(name), value, 'a string')
    return value
  }

  requiredString(name: string): string {
    const value = this.string(name)
    if (value === null) throw missing(this.pathOf(name), 'a string')
    return value
  }

  number(name: string): number | null {
    const value = this.get(name)
    if (value === undefined || value === null) return null
    if (typeof value !== 'number') throw wrongKind(this.pathOf(name), value, 'a number')
    return value
  }

  integer(name: string): number | null {
    const value = this.number(name)
    if (value !== null && !Number.isInteger(value)) throw wrongKind(this.pathOf(name), value, 'an integer')
    return value
  }

  /** An integer within bounds that the reference of the dialect states; `most` is null where it states none. */
  count(name: string, least: number, most: number | null = null): number | null {
    const value = this.integer(name)
    if (value === null || (value >= least && (most === null || value <= most))) return value
    throw this.refuse(name, most === null ? `${least} or more` : `${least} to ${most}`)
  }

  /** One of the words that the dialect has for it. */
  word(name: string, words: readonly string[]): string | null {
    const value = this.string(name)
    if (value === null || words.includes(value)) return value
    throw this.refuse(name, `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`)
  }

  boolean(name: string): boolean | null {
    const value = this.get(name)
    if (value === undefined || value === null) return null
    if (typeof value !== 'boolean') throw wrongKind(this.pathOf(name), value, 'true or false')
    return value
  }

  object(name: string): JsonObject | null {
    const value = this.get(name)
    if (value === undefined || value === null) return null
    if (!(value instanceof JsonObject)) throw wrongKind(this.pathOf(name), value, 'an object')
    return value
  }

  requiredObject(name: string): JsonObject {
    const value = this.object(name)
    if (value === null) throw missing(this.pathOf(name), 'an object')
    return value
  }

  array(name: string): JsonArray | null {
    const value = this.get(name)
    if (value === undefined || value === null) return null
    if (!(value instanceof JsonArray)) throw wrongKind(this.pathOf(name), value, 'an array')
    return value
  }

  requiredArray(name: string): JsonArray {
    const value = this.array(name)
    if (value === null) throw missing(this.pathOf(name), 'an array')
    return value
  }

  /** Members that are not in the list, as source text. */
  extras(known: ReadonlySet<string>): Extra[] {
    const extras: Extra[] = []
    for (const [index, name] of this.keys.entries()) {
      if (known.has(name) || this.keys.lastIndexOf(name) !== index) continue
      extras.push({
        name,
        json: compactJson(this.source.slice(this.spans[index * 2], this.spans[index * 2 + 1])),
      })
    }
    return extras
  }

  /** Refuses a member whose kind is right and whose value is not. */
  refuse(name: string, allowed: string): TranslateError {
    return wrongKind(this.pathOf(name), this.get(name), allowed)
  }
}

/** What was found, without quoting content: short words and numbers are shown, texts only by their length. */
function found(value: JsonValue | undefined): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (value instanceof JsonObject) return 'an object'
  if (value instanceof JsonArray) return 'an array'
  if (typeof value !== 'string') return String(value)
  return /^[\w.:/-]{0,40}$/.test(value) ? `"${value}"` : `a string of ${value.length} characters`
}

export function wrongKind(path: string, value: JsonValue | undefined, allowed: string): TranslateError {
  return new TranslateError(
    'invalid',
    `${path === '' ? 'the body' : path}: found ${found(value)}, allowed is ${allowed}`,
    path === '' ? null : path,
    'invalid_value',
  )
}

function missing(path: string, allowed: string): TranslateError {
  return new TranslateError(
    'invalid',
    `${path}: missing, required is ${allowed}`,
    path,
    'missing_required_parameter',
  )
}

/** Reads one document. Throws `TranslateError` with the offset when the text is not JSON. */
export function readJson(source: string): JsonValue {
  return new TreeReader(source).document()
}

/** Reads a body that must be an object. */
export function readJsonObject(source: string): JsonObject {
  const value = readJson(source)
  if (!(value instanceof JsonObject)) throw wrongKind('', value, 'an object')
  return value
}

const decoder = new TextDecoder('utf-8', { fatal: true })

/** Reads a client's body: UTF-8, one JSON object. */
export function readBody(body: Uint8Array): JsonObject {
  let text: string
  try {
    text = decoder.decode(body)
  } catch {
    throw new TranslateError('invalid', 'the body is not UTF-8 text')
  }
  return readJsonObject(text)
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y

const CONTROL = /[\u0000-\u001f]/

class TreeReader {
  private readonly source: string
  private at: number
  private depth: number
  /** First backslash at or after `at`, so that plain strings need no second search. */
  private slash: number

  constructor(source: string) {
    this.source = source
    this.at = 0
    this.depth = 0
    this.slash = this.find('\\', 0)
  }

  document(): JsonValue {
    this.white()
    const value = this.value(null, '')
    this.white()
    if (this.at !== this.source.length) throw this.broken('the end')
    return value
  }

  private find(what: string, from: number): number {
    const index = this.source.indexOf(what, from)
    return index === -1 ? Number.POSITIVE_INFINITY : index
  }

  private broken(wanted: string): TranslateError {
    return new TranslateError('invalid', `the body is not JSON: expected ${wanted} at character ${this.at}`)
  }

  private white(): void {
    let code = this.source.charCodeAt(this.at)
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) {
      this.at += 1
      code = this.source.charCodeAt(this.at)
    }
  }

  private value(parent: JsonObject | JsonArray | null, place: string | number): JsonValue {
    switch (this.source.charCodeAt(this.at)) {
      case 0x22:
        return this.string()
      case 0x7b:
        return this.object(parent, place)
      case 0x5b:
        return this.array(parent, place)
      case 0x74:
        return this.word('true', true)
      case 0x66:
        return this.word('false', false)
      case 0x6e:
        return this.word('null', null)
      default:
        return this.number()
    }
  }

  private word(word: string, value: boolean | null): boolean | null {
    if (!this.source.startsWith(word, this.at)) throw this.broken('a value')
    this.at += word.length
    return value
  }

  private number(): number {
    NUMBER.lastIndex = this.at
    const match = NUMBER.exec(this.source)
    if (match === null) throw this.broken('a value')
    this.at += match[0].length
    return Number(match[0])
  }

  private string(): string {
    const open = this.at
    const quote = this.find('"', open + 1)
    if (quote === Number.POSITIVE_INFINITY) throw this.broken('the end of a string')
    if (this.slash < open) this.slash = this.find('\\', open)
    if (this.slash > quote) {
      const text = this.source.slice(open + 1, quote)
      if (CONTROL.test(text)) throw this.broken('a string without control characters')
      this.at = quote + 1
      return text
    }
    return this.escapedString(open)
  }

  private escapedString(open: number): string {
    let quote = open
    do {
      quote = this.find('"', quote + 1)
      if (quote === Number.POSITIVE_INFINITY) throw this.broken('the end of a string')
    } while (this.escaped(quote))
    try {
      const text: unknown = JSON.parse(this.source.slice(open, quote + 1))
      this.at = quote + 1
      return text as string
    } catch {
      throw this.broken('a string without broken escapes')
    }
  }

  private escaped(quote: number): boolean {
    let slashes = 0
    while (this.source.charCodeAt(quote - 1 - slashes) === 0x5c) slashes += 1
    return slashes % 2 === 1
  }

  private object(parent: JsonObject | JsonArray | null, place: string | number): JsonObject {
    const node = new JsonObject(this.source, parent, place, this.at)
    this.enter()
    this.at += 1
    this.white()
    if (this.source.charCodeAt(this.at) === 0x7d) return this.leave(node)
    for (;;) {
      if (this.source.charCodeAt(this.at) !== 0x22) throw this.broken('a member name')
      const name = this.string()
      this.white()
      if (this.source.charCodeAt(this.at) !== 0x3a) throw this.broken('a colon')
      this.at += 1
      this.white()
      node.keys.push(name)
      this.element(node, name)
      const code = this.source.charCodeAt(this.at)
      if (code === 0x7d) return this.leave(node)
      if (code !== 0x2c) throw this.broken('a comma or a closing brace')
      this.at += 1
      this.white()
    }
  }

  private array(parent: JsonObject | JsonArray | null, place: string | number): JsonArray {
    const node = new JsonArray(this.source, parent, place, this.at)
    this.enter()
    this.at += 1
    this.white()
    if (this.source.charCodeAt(this.at) === 0x5d) return this.leave(node)
    for (;;) {
      this.element(node, node.values.length)
      const code = this.source.charCodeAt(this.at)
      if (code === 0x5d) return this.leave(node)
      if (code !== 0x2c) throw this.broken('a comma or a closing bracket')
      this.at += 1
      this.white()
    }
  }

  private element(node: JsonObject | JsonArray, place: string | number): void {
    const start = this.at
    const value = this.value(node, place)
    node.spans.push(start, this.at)
    node.values.push(value)
    this.white()
  }

  private enter(): void {
    this.depth += 1
    if (this.depth > DEPTH_MAX) {
      throw new TranslateError('invalid', `the body nests deeper than ${DEPTH_MAX} levels`)
    }
  }

  private leave<Node extends JsonObject | JsonArray>(node: Node): Node {
    this.depth -= 1
    this.at += 1
    node.end = this.at
    return node
  }
}
