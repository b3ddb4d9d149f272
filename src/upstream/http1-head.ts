// Reads the header block of an HTTP/1.1 reply. Owns what counts as sound; knows nothing of bytes still to come.

const LENGTH_DIGITS_MAX = 15

const CR = 13

/** 1 where RFC 9110 allows the character in a field name. */
const TOKEN = new Uint8Array(256)
for (const char of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
  TOKEN[char.charCodeAt(0)] = 1
}

export function isTokenByte(byte: number): boolean {
  return TOKEN[byte] === 1
}

/** What a header block says: the fields, where the body ends, and whether the connection outlives it. */
export class ReplyHead {
  readonly status: number
  readonly headers: string[] = []
  /** -1: not said. */
  length = -1
  chunked = false
  keepAlive: boolean
  /** How long the server says it keeps an idle connection; -1 not said. */
  keepAliveMs = -1

  constructor(status: number, keepAlive: boolean) {
    this.status = status
    this.keepAlive = keepAlive
  }

  /** Returns what is wrong with the field, or null. */
  add(name: string, value: string): string | null {
    this.headers.push(name, value)
    return this.note(name, value)
  }

  private note(name: string, value: string): string | null {
    switch (name) {
      case 'content-length':
        return this.noteLength(value)
      case 'transfer-encoding':
        if (this.chunked || value.toLowerCase() !== 'chunked') {
          return 'its transfer-encoding is not exactly chunked'
        }
        this.chunked = true
        return null
      case 'connection':
        if (/(?:^|,)\s*close\s*(?:,|$)/i.test(value)) this.keepAlive = false
        return null
      case 'keep-alive': {
        const seconds = /(?:^|[,;\s])timeout=(\d{1,6})/i.exec(value)
        if (seconds !== null) this.keepAliveMs = Number(seconds[1]) * 1_000
        return null
      }
      default:
        return null
    }
  }

  private noteLength(value: string): string | null {
    const length = /^\d+$/.test(value) && value.length <= LENGTH_DIGITS_MAX ? Number(value) : -1
    if (length === -1) return 'its content-length is not a number'
    if (this.length >= 0 && this.length !== length) return 'it has two content-lengths that differ'
    this.length = length
    return null
  }
}

/** `block` is everything before the empty line. Returns what is wrong with it if it cannot be used. */
export function readReplyHead(block: string): ReplyHead | string {
  const status = statusOf(block)
  if (status === 0) return 'its status line is not HTTP/1.x'
  if (block.includes('\0')) return 'its header block holds a NUL'
  const isCurrent = block.charCodeAt(7) === 0x31
  const head = new ReplyHead(status, isCurrent)
  let at = lineEnd(block, 0)
  while (at !== -1 && at < block.length) {
    const from = at + 2
    const to = lineEnd(block, from)
    if (to === -1) return BARE_LINE_END
    const colon = nameEnd(block, from, to)
    if (colon === -1) return 'a header field has no sound name'
    const problem = head.add(block.slice(from, colon).toLowerCase(), trimmed(block, colon + 1, to))
    if (problem !== null) return problem
    at = to
  }
  if (at === -1) return BARE_LINE_END
  if (head.chunked && head.length >= 0) return 'it has both content-length and transfer-encoding'
  if (head.chunked && !isCurrent) return 'it has transfer-encoding in HTTP/1.0'
  return head
}

const BARE_LINE_END = 'its header block holds a bare CR or LF'

/** The three digits of a sound status line (`HTTP/1.1 200 OK`, reason optional), or 0. */
function statusOf(head: string): number {
  if (!head.startsWith('HTTP/1.')) return 0
  const minor = head.charCodeAt(7)
  if ((minor !== 0x30 && minor !== 0x31) || head.charCodeAt(8) !== 0x20) return 0
  const hundreds = head.charCodeAt(9) - 0x30
  const tens = head.charCodeAt(10) - 0x30
  const ones = head.charCodeAt(11) - 0x30
  if (!(hundreds >= 1 && hundreds <= 5 && tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9)) return 0
  const after = head.charCodeAt(12)
  if (!(after === 0x20 || after === CR || head.length === 12)) return 0
  return hundreds * 100 + tens * 10 + ones
}

/** Where the line that begins at `from` ends: at CR LF, or at the end of the block. -1: a bare CR or LF. */
function lineEnd(head: string, from: number): number {
  const cr = head.indexOf('\r', from)
  const lf = head.indexOf('\n', from)
  if (cr === -1) return lf === -1 ? head.length : -1
  return lf === cr + 1 ? cr : -1
}

/** Where the colon behind a sound field name stands, or -1. */
function nameEnd(head: string, from: number, to: number): number {
  let at = from
  while (at < to && TOKEN[head.charCodeAt(at)] === 1) at += 1
  return at > from && at < to && head.charCodeAt(at) === 0x3a ? at : -1
}

/** The value between `from` and `to` without the white space around it. */
function trimmed(head: string, from: number, to: number): string {
  let start = from
  let end = to
  while (start < end && isBlank(head.charCodeAt(start))) start += 1
  while (end > start && isBlank(head.charCodeAt(end - 1))) end -= 1
  return head.slice(start, end)
}

function isBlank(char: number): boolean {
  return char === 0x20 || char === 9
}
