// Turns a reply and a behaviour into a plan: wire pieces, the waits between them, and how it ends. Plans are
// immutable, so a canned one is built once and sent many times.

import { STATUS_CODES } from 'node:http'
import { gzipSync } from 'node:zlib'
import { bytesOf } from './dialects/shared.ts'
import type { Behaviour } from './types.ts'

export interface SendPlan {
  readonly pieces: readonly Uint8Array[]
  /** Before `pieces[n]`; missing entries are 0. */
  readonly waitsMs: readonly number[]
  /** Pieces [from, to) repeat for ever, the same wait between them; null: none do. */
  readonly loop: { readonly from: number; readonly to: number; readonly waitMs: number } | null
  readonly ending: 'keep' | 'fin' | 'reset' | 'hang'
  /** With ending `keep`: close this long afterwards; -1 never. */
  readonly closeIdleAfterMs: number
}

export interface ReplyParts {
  readonly status: number
  readonly headers: readonly string[]
  readonly payload: readonly Uint8Array[]
  /** One chunk each when streamed, else one body with its length. */
  readonly streamed: boolean
  /** Range of `payload` that `neverEnding` repeats. */
  readonly repeat: { readonly from: number; readonly to: number }
}

const LAST_CHUNK = bytesOf('0\r\n\r\n')
const EMPTY = new Uint8Array(0)

export function planSilence(ending: SendPlan['ending'], waitMs: number): SendPlan {
  return { pieces: [EMPTY], waitsMs: [waitMs], loop: null, ending, closeIdleAfterMs: -1 }
}

export function planRaw(raw: Uint8Array, behaviour: Behaviour): SendPlan {
  const wire = behaviour.cutAfterBytes >= 0 ? raw.subarray(0, behaviour.cutAfterBytes) : raw
  const cutEnding = behaviour.cut === 'reset' ? 'reset' : 'fin'
  const ending =
    behaviour.cutAfterBytes >= 0
      ? cutEnding
      : behaviour.connectionClose
        ? 'fin'
        : behaviour.hangAfterFrames >= 0
          ? 'hang'
          : 'keep'
  return paced([wire], [behaviour.delayBeforeHeadersMs], behaviour, ending)
}

export function planReply(parts: ReplyParts, behaviour: Behaviour): SendPlan {
  let payload = parts.payload
  if (behaviour.garbageBody) payload = [bytesOf('\u0000\u0001 neither JSON nor frames \u00ff {"half":')]
  if (behaviour.gzip) payload = [gzipSync(Buffer.concat(payload))]
  const wholeBytes = sizeOf(payload)
  const isCut = behaviour.cutAfterBytes >= 0 && behaviour.cutAfterBytes < wholeBytes
  if (isCut) payload = cutAt(payload, behaviour.cutAfterBytes)
  const framing = behaviour.untilClose
    ? 'close'
    : parts.streamed || behaviour.neverEnding
      ? 'chunked'
      : 'length'
  const announced =
    (isCut && behaviour.cut === 'end' ? sizeOf(payload) : wholeBytes) + behaviour.wrongLengthBy
  const head = headOf(parts, behaviour, framing, announced)
  if (behaviour.hangAfterHeaders || behaviour.resetAfterHeaders) {
    const ending = behaviour.hangAfterHeaders ? 'hang' : 'reset'
    return paced([head], [behaviour.delayBeforeHeadersMs], behaviour, ending)
  }

  const wire: Uint8Array[] = framing === 'chunked' ? payload.map(piece => chunkOf(piece)) : [...payload]
  if (behaviour.badChunk && wire.length > 0) {
    wire[wire.length - 1] = bytesOf('zz\r\nnot a chunk\r\n')
  }
  let ending: SendPlan['ending'] = framing === 'close' || behaviour.connectionClose ? 'fin' : 'keep'
  if (isCut && behaviour.cut !== 'end') ending = behaviour.cut
  else if (framing === 'chunked') wire.push(LAST_CHUNK)
  if (behaviour.hangAfterFrames >= 0) {
    wire.length = Math.min(wire.length, behaviour.hangAfterFrames)
    ending = 'hang'
  }
  if (behaviour.surplusBytes > 0) wire.push(bytesOf('s'.repeat(behaviour.surplusBytes)))
  const waits = wire.map((_, at) =>
    at === 0 ? behaviour.delayBeforeBodyMs : at < payload.length ? behaviour.delayBetweenFramesMs : 0,
  )
  if (behaviour.neverEnding) {
    const loop = {
      from: parts.repeat.from + 1,
      to: parts.repeat.to + 1,
      waitMs: behaviour.delayBetweenFramesMs,
    }
    const pieces = [head, ...wire]
    return {
      pieces,
      waitsMs: [behaviour.delayBeforeHeadersMs, ...waits],
      loop,
      ending,
      closeIdleAfterMs: -1,
    }
  }
  return paced([head, ...wire], [behaviour.delayBeforeHeadersMs, ...waits], behaviour, ending)
}

/** Joins pieces with no wait between them into one write, or cuts everything small if that is asked for. */
function paced(
  pieces: readonly Uint8Array[],
  waitsMs: readonly number[],
  behaviour: Behaviour,
  ending: SendPlan['ending'],
): SendPlan {
  const { closeIdleAfterMs } = behaviour
  const step = behaviour.dripMs > 0 ? 1 : behaviour.splitBytes
  if (step > 0) {
    const all = Buffer.concat(pieces)
    const small: Uint8Array[] = []
    for (let at = 0; at < all.length; at += step) small.push(all.subarray(at, at + step))
    const waits = small.map((_, at) => (at === 0 ? (waitsMs[0] ?? 0) : Math.max(behaviour.dripMs, 0.01)))
    return { pieces: small, waitsMs: waits, loop: null, ending, closeIdleAfterMs }
  }
  if (behaviour.separateWrites) return { pieces, waitsMs, loop: null, ending, closeIdleAfterMs }
  const joined: Uint8Array[][] = []
  const waits: number[] = []
  pieces.forEach((piece, at) => {
    const waitMs = waitsMs[at] ?? 0
    if (at === 0 || waitMs > 0) {
      joined.push([piece])
      waits.push(waitMs)
    } else joined[joined.length - 1]!.push(piece)
  })
  const merged = joined.map(group => (group.length === 1 ? group[0]! : Buffer.concat(group)))
  return { pieces: merged, waitsMs: waits, loop: null, ending, closeIdleAfterMs }
}

function headOf(
  parts: ReplyParts,
  behaviour: Behaviour,
  framing: 'length' | 'chunked' | 'close',
  announced: number,
): Uint8Array {
  const bodiless = parts.status === 204 || parts.status === 304
  let text = 'HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n'.repeat(behaviour.interim)
  text += `HTTP/1.1 ${parts.status} ${STATUS_CODES[parts.status] ?? 'Unknown'}\r\n`
  for (let at = 0; at < parts.headers.length; at += 2)
    text += `${parts.headers[at]}: ${parts.headers[at + 1]}\r\n`
  if (behaviour.gzip) text += 'content-encoding: gzip\r\n'
  if (behaviour.headerBytes > 0) text += `x-padding: ${'p'.repeat(behaviour.headerBytes)}\r\n`
  if (behaviour.connectionClose || framing === 'close') text += 'connection: close\r\n'
  if (framing === 'chunked') text += 'transfer-encoding: chunked\r\n'
  else if (framing === 'length' && !bodiless) text += `content-length: ${announced}\r\n`
  return Buffer.from(`${text}\r\n`, 'latin1')
}

function chunkOf(piece: Uint8Array): Uint8Array {
  if (piece.length === 0) return EMPTY
  return Buffer.concat([bytesOf(`${piece.length.toString(16)}\r\n`), piece, bytesOf('\r\n')])
}

function cutAt(pieces: readonly Uint8Array[], bytes: number): Uint8Array[] {
  const kept: Uint8Array[] = []
  let left = bytes
  for (const piece of pieces) {
    if (left <= 0) break
    kept.push(piece.subarray(0, left))
    left -= piece.length
  }
  return kept
}

function sizeOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0)
}
