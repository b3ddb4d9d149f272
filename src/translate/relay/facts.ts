// What a relayed reply has said so far. Usage is kept as the bytes it came in and read when somebody asks: some
// hosts repeat it in every frame.

import { parsed } from '../bytes/json-look.ts'
import type { ErrorReply } from '../errors.ts'
import type { ReplyFacts, ReplyState } from '../reply-path.ts'
import type { Usage } from '../usage.ts'

const decoder = new TextDecoder()

/** The text of a piece of JSON. */
export function jsonAt(bytes: Uint8Array, from: number, to: number): string {
  return decoder.decode(bytes.subarray(from, to))
}

/** What a piece of JSON says, or undefined when it is none. */
export function valueAt(bytes: Uint8Array, from: number, to: number): unknown {
  return parsed(jsonAt(bytes, from, to))
}

/** A string's text, or null when it is empty or no string. */
export function textAt(bytes: Uint8Array, from: number, to: number): string | null {
  if (bytes[from] !== 0x22) return null
  const plain = plainAt(bytes, from + 1, to - 1)
  if (plain !== null) return plain === '' ? null : plain
  const value = valueAt(bytes, from, to)
  return typeof value === 'string' && value !== '' ? value : null
}

/**
 * Short texts without anything to decode, as nearly all ids and words are: cheaper than two calls of the host. Null for
 * the others.
 */
export function plainAt(bytes: Uint8Array, from: number, to: number): string | null {
  if (to - from > PLAIN_UNITS_MAX) return null
  let text = ''
  for (let at = from; at < to; at++) {
    const code = bytes[at]!
    if (code >= 0x80 || code === 0x5c || code < 0x20) return null
    text += String.fromCharCode(code)
  }
  return text
}

const PLAIN_UNITS_MAX = 64

export class RelayFacts implements ReplyFacts {
  state: ReplyState
  finish: string | null
  contentSeen: boolean
  model: string | null
  id: string | null
  error: ErrorReply | null
  private usageTold: Usage | null
  private usageBytes: Uint8Array | null
  private readonly readUsage: (value: unknown) => Usage | null

  constructor(readUsage: (value: unknown) => Usage | null) {
    this.state = 'open'
    this.finish = null
    this.contentSeen = false
    this.model = null
    this.id = null
    this.error = null
    this.usageTold = null
    this.usageBytes = null
    this.readUsage = readUsage
  }

  get usage(): Usage | null {
    this.readUsageNow()
    return this.usageTold
  }

  /** For dialects that tell usage in pieces: the next piece must not replace one that nobody has read. */
  readUsageNow(): void {
    if (this.usageBytes === null) return
    const told = this.readUsage(parsed(decoder.decode(this.usageBytes)))
    this.usageBytes = null
    if (told !== null) this.usageTold = told
  }

  /** The last one counts. */
  noteUsage(bytes: Uint8Array, from: number, to: number): void {
    this.usageBytes = bytes.slice(from, to)
  }

  complete(): void {
    if (this.state === 'open') this.state = 'complete'
  }

  fail(error: ErrorReply): void {
    if (this.state !== 'open') return
    this.state = 'failed'
    this.error = error
  }
}
