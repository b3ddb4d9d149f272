// A client's body on its way to an upstream of the same dialect. Owns which members the gateway must know and how
// the few that differ are exchanged; every other byte stays what it was.
//
// Members with the same name: the last one counts, as in the parsers upstreams use. Where several say different
// things, all of them are made to say what the last one says, so that no reader can disagree with us.

import type { DialectId } from '../dialect.ts'
import { TranslateError, assert } from '../translate-error.ts'
import { BodyWalk, type MemberRange } from './body-walk.ts'
import { plainAt } from './facts.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const NAMES = ['model', 'stream', 'stream_options'] as const
const WANTED = NAMES.map(name => encoder.encode(name))
const WANTED_ELSEWHERE = WANTED.slice(0, 2)
const WANTED_OPTIONS = [encoder.encode('include_usage')]
const NONE: readonly Uint8Array[] = []
const MODEL = 0
const STREAM = 1
const STREAM_OPTIONS = 2
/** A name of a model that is longer is none. */
const MODEL_BYTES_MAX = 1024

/** Dialects whose bodies name the model and say whether the reply is a stream; the others say it in the path. */
const SAID_IN_BODY: ReadonlySet<DialectId> = new Set([
  'openai-chat',
  'openai-responses',
  'anthropic-messages',
])

/** What a body says, and where. */
export class RequestScan {
  readonly dialect: DialectId
  readonly bytes: Uint8Array
  /** Null when the body names none. */
  readonly model: string | null
  readonly stream: boolean
  /** Chat: `stream_options.include_usage` is true. */
  readonly includeUsage: boolean
  readonly walk: BodyWalk

  constructor(dialect: DialectId, bytes: Uint8Array) {
    this.dialect = dialect
    this.bytes = bytes
    const wanted = dialect === 'openai-chat' ? WANTED : WANTED_ELSEWHERE
    this.walk = new BodyWalk(bytes, 0, bytes.length, SAID_IN_BODY.has(dialect) ? wanted : NONE)
    this.model = readModel(bytes, last(this.walk, MODEL))
    this.stream = readFlag(bytes, last(this.walk, STREAM), 'stream')
    this.includeUsage = readIncludeUsage(bytes, last(this.walk, STREAM_OPTIONS))
  }
}

/**
 * Reads the body once. Throws `TranslateError` for what is not a JSON object in UTF-8, and for members of the
 * wrong kind.
 */
export function scanRequest(dialect: DialectId, bytes: Uint8Array): RequestScan {
  return new RequestScan(dialect, bytes)
}

export interface RequestEdits {
  readonly model?: string
  readonly includeUsage?: boolean
}

/** Makes room for so many bytes, whatever they hold. */
export type MakeRoom = (bytes: number) => Uint8Array

const newRoom: MakeRoom = bytes => new Uint8Array(bytes)

/**
 * The body with the given members changed; the same bytes, not a copy, when nothing changes. `room` is where the new
 * body is put: a host may have cheaper room than a zeroed array.
 */
export function spliceRequest(scan: RequestScan, edits: RequestEdits, room: MakeRoom = newRoom): Uint8Array {
  const splices: Splice[] = []
  spliceMember(splices, scan, MODEL, edits.model === undefined ? null : JSON.stringify(edits.model))
  spliceMember(splices, scan, STREAM, null)
  if (edits.includeUsage === undefined) spliceMember(splices, scan, STREAM_OPTIONS, null)
  else spliceOptions(splices, scan, edits.includeUsage)
  return splices.length === 0 ? scan.bytes : spliced(scan.bytes, splices, 0, scan.bytes.length, room)
}

/** `bytes[from, to)` becomes `text`. */
interface Splice {
  readonly from: number
  readonly to: number
  readonly text: string
}

/** Gives every member of the name one value: `value`, or what the last one says. */
function spliceMember(splices: Splice[], scan: RequestScan, wanted: number, value: string | null): void {
  const { members } = scan.walk
  const lastRange = last(scan.walk, wanted)
  if (lastRange === null) {
    if (value !== null) insert(splices, scan.walk, `${JSON.stringify(NAMES[wanted])}:${value}`)
    return
  }
  let agreed = value
  for (const range of members) {
    if (range.wanted !== wanted || (value === null && range === lastRange)) continue
    agreed ??= textOf(scan.bytes, lastRange)
    if (!says(scan.bytes, range, agreed)) splices.push({ from: range.from, to: range.to, text: agreed })
  }
}

/** Sets `stream_options.include_usage`, keeping what else the options say. */
function spliceOptions(splices: Splice[], scan: RequestScan, includeUsage: boolean): void {
  assert(scan.dialect === 'openai-chat', 'only Chat is asked for usage')
  const lastRange = last(scan.walk, STREAM_OPTIONS)
  if (lastRange === null || scan.bytes[lastRange.from] !== 0x7b) {
    spliceMember(splices, scan, STREAM_OPTIONS, `{"include_usage":${includeUsage}}`)
    return
  }
  const inner: Splice[] = []
  const walk = optionsWalk(scan.bytes, lastRange)
  for (const range of walk.members) {
    const text = String(includeUsage)
    if (!says(scan.bytes, range, text)) inner.push({ from: range.from, to: range.to, text })
  }
  if (walk.members.length === 0) insert(inner, walk, `"include_usage":${includeUsage}`)
  const options = spliced(scan.bytes, inner, lastRange.from, lastRange.to, newRoom)
  spliceMember(splices, scan, STREAM_OPTIONS, decoder.decode(options))
}

/** A new member goes behind the last one: what is in front of it keeps its place. */
function insert(splices: Splice[], walk: BodyWalk, member: string): void {
  const empty = walk.insideTo === walk.insideFrom && !splices.some(splice => splice.from === walk.insideTo)
  const comma = empty ? '' : ','
  splices.push({ from: walk.insideTo, to: walk.insideTo, text: comma + member })
}

function spliced(bytes: Uint8Array, splices: Splice[], from: number, to: number, room: MakeRoom): Uint8Array {
  if (splices.length > 1) splices.sort((left, right) => left.from - right.from)
  let length = to - from
  for (const splice of splices) length += byteLength(splice.text) - (splice.to - splice.from)
  const out = room(length)
  let read = from
  let write = 0
  for (const splice of splices) {
    write = copied(bytes, read, splice.from, out, write)
    write = written(splice.text, out, write)
    read = splice.to
  }
  copied(bytes, read, to, out, write)
  return out
}

/** Up to here a loop is cheaper than two calls of the host. */
const LOOPED_BYTES_MAX = 64

/** Copies a range and returns where it ends. */
function copied(bytes: Uint8Array, from: number, to: number, out: Uint8Array, at: number): number {
  if (to - from > LOOPED_BYTES_MAX) out.set(bytes.subarray(from, to), at)
  else for (let read = from; read < to; read++) out[at + read - from] = bytes[read]!
  return at + to - from
}

/** Writes a text and returns where it ends. */
function written(text: string, out: Uint8Array, at: number): number {
  if (byteLength(text) !== text.length) {
    const encoded = encoder.encode(text)
    out.set(encoded, at)
    return at + encoded.length
  }
  for (let unit = 0; unit < text.length; unit++) out[at + unit] = text.charCodeAt(unit)
  return at + text.length
}

/** Ids of models are ASCII, and short; asking the host is for the others. */
function byteLength(text: string): number {
  for (let unit = 0; unit < text.length; unit++) {
    if (text.charCodeAt(unit) >= 0x80) return encoder.encode(text).length
  }
  return text.length
}

function last(walk: BodyWalk, wanted: number): MemberRange | null {
  for (let index = walk.members.length - 1; index >= 0; index--) {
    if (walk.members[index]!.wanted === wanted) return walk.members[index]!
  }
  return null
}

function optionsWalk(bytes: Uint8Array, range: MemberRange): BodyWalk {
  return new BodyWalk(bytes, range.from, range.to, WANTED_OPTIONS)
}

/** Whether a range holds exactly this text. */
function says(bytes: Uint8Array, { from, to }: MemberRange, text: string): boolean {
  if (to - from !== byteLength(text)) return false
  if (to - from !== text.length) return decoder.decode(bytes.subarray(from, to)) === text
  for (let unit = 0; unit < text.length; unit++) {
    if (bytes[from + unit] !== text.charCodeAt(unit)) return false
  }
  return true
}

function textOf(bytes: Uint8Array, range: MemberRange): string {
  return decoder.decode(bytes.subarray(range.from, range.to))
}

function readModel(bytes: Uint8Array, range: MemberRange | null): string | null {
  if (range === null) return null
  if (bytes[range.from] !== 0x22) throw wrongKind('model', 'a string', bytes, range)
  if (range.to - range.from > MODEL_BYTES_MAX) {
    throw new TranslateError('invalid', `\`model\` is longer than ${MODEL_BYTES_MAX} bytes`, 'model')
  }
  return plainAt(bytes, range.from + 1, range.to - 1) ?? (JSON.parse(textOf(bytes, range)) as string)
}

/** A flag that is absent or null is off. */
function readFlag(bytes: Uint8Array, range: MemberRange | null, param: string): boolean {
  if (range === null) return false
  const kind = kindAt(bytes, range)
  if (kind !== 'true' && kind !== 'false' && kind !== 'null')
    throw wrongKind(param, 'true or false', bytes, range)
  return kind === 'true'
}

function readIncludeUsage(bytes: Uint8Array, range: MemberRange | null): boolean {
  if (range === null || kindAt(bytes, range) === 'null') return false
  if (bytes[range.from] !== 0x7b) throw wrongKind('stream_options', 'an object', bytes, range)
  const inner = optionsWalk(bytes, range)
  return readFlag(bytes, last(inner, 0), 'stream_options.include_usage')
}

/** What a value is, in the words of a message. */
function kindAt(bytes: Uint8Array, range: MemberRange): string {
  switch (bytes[range.from]) {
    case 0x22:
      return 'a string'
    case 0x7b:
      return 'an object'
    case 0x5b:
      return 'an array'
    case 0x74:
      return 'true'
    case 0x66:
      return 'false'
    case 0x6e:
      return 'null'
    default:
      return 'a number'
  }
}

function wrongKind(param: string, allowed: string, bytes: Uint8Array, range: MemberRange): TranslateError {
  return new TranslateError(
    'invalid',
    `\`${param}\` must be ${allowed}, found ${kindAt(bytes, range)}`,
    param,
  )
}
