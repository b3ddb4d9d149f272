// A client's body on its way to an upstream of the same dialect. Owns which members the gateway must know and how
// the few that differ are exchanged; every other byte stays what it was.
//
// Members with the same name: the last one counts, as in the parsers upstreams use. Where several say different
// things, all of them are made to say what the last one says, so that no reader can disagree with us.

import type { DialectId } from '../dialect.ts'
import { TranslateError, assert } from '../translate-error.ts'
import { BodyWalk, type MemberRange } from './body-walk.ts'

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

/** The body with the given members changed; the same bytes, not a copy, when nothing changes. */
export function spliceRequest(scan: RequestScan, edits: RequestEdits): Uint8Array {
  const splices: Splice[] = []
  spliceMember(splices, scan, MODEL, edits.model === undefined ? null : JSON.stringify(edits.model))
  spliceMember(splices, scan, STREAM, null)
  if (edits.includeUsage === undefined) spliceMember(splices, scan, STREAM_OPTIONS, null)
  else spliceOptions(splices, scan, edits.includeUsage)
  return splices.length === 0 ? scan.bytes : spliced(scan.bytes, splices)
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
  const agreed = value ?? textOf(scan.bytes, lastRange)
  for (const range of members) {
    if (range.wanted !== wanted || (value === null && range === lastRange)) continue
    if (textOf(scan.bytes, range) !== agreed) splices.push({ from: range.from, to: range.to, text: agreed })
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
    if (textOf(scan.bytes, range) !== String(includeUsage)) {
      inner.push({ from: range.from, to: range.to, text: String(includeUsage) })
    }
  }
  if (walk.members.length === 0) insert(inner, walk, `"include_usage":${includeUsage}`)
  const options = spliced(scan.bytes, inner, lastRange.from, lastRange.to)
  spliceMember(splices, scan, STREAM_OPTIONS, decoder.decode(options))
}

/** A new member goes behind the last one: what is in front of it keeps its place. */
function insert(splices: Splice[], walk: BodyWalk, member: string): void {
  const empty = walk.insideTo === walk.insideFrom && !splices.some(splice => splice.from === walk.insideTo)
  const comma = empty ? '' : ','
  splices.push({ from: walk.insideTo, to: walk.insideTo, text: comma + member })
}

function spliced(bytes: Uint8Array, splices: Splice[], from = 0, to = bytes.length): Uint8Array {
  splices.sort((left, right) => left.from - right.from)
  const texts = splices.map(splice => encoder.encode(splice.text))
  let length = to - from
  for (let index = 0; index < texts.length; index++) {
    const splice = splices[index]!
    length += texts[index]!.length - (splice.to - splice.from)
  }
  const out = new Uint8Array(length)
  let read = from
  let write = 0
  for (let index = 0; index < texts.length; index++) {
    const splice = splices[index]!
    out.set(bytes.subarray(read, splice.from), write)
    write += splice.from - read
    out.set(texts[index]!, write)
    write += texts[index]!.length
    read = splice.to
  }
  out.set(bytes.subarray(read, to), write)
  return out
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

function textOf(bytes: Uint8Array, range: MemberRange): string {
  return decoder.decode(bytes.subarray(range.from, range.to))
}

function readModel(bytes: Uint8Array, range: MemberRange | null): string | null {
  if (range === null) return null
  if (bytes[range.from] !== 0x22) throw wrongKind('model', 'a string', bytes, range)
  if (range.to - range.from > MODEL_BYTES_MAX) {
    throw new TranslateError('invalid', `\`model\` is longer than ${MODEL_BYTES_MAX} bytes`, 'model')
  }
  return JSON.parse(textOf(bytes, range)) as string
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
