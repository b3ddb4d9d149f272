// Finds one short field in the first bytes of a multipart form, without reading the rest. Owns the look-ahead, its bound
// and the exchange of the field's value; refuses to judge the form, which is its upstream's business.

/** Bytes held while looking: clients that care write their fields in front of their files. */
const LOOK_BYTES_MAX = 64 * 1024

/** A boundary may have 70 characters (RFC 2046, section 5.1.1). */
const BOUNDARY_CHARS_MAX = 70

const DASHES = '--'
const HEADERS_END = Buffer.from('\r\n\r\n')

export type Found =
  /** Not yet. */
  | 'more'
  /** Not within the bound. */
  | 'beyond'
  /** The form ended without it. */
  | 'absent'
  | { readonly value: string; readonly from: number; readonly to: number }

/** The boundary that a content type announces, or null when it is no form. */
export function formBoundary(contentType: string | null): string | null {
  if (contentType === null || !/^multipart\/form-data\s*;/i.test(contentType)) return null
  const match = /;\s*boundary=(?:"([^"\r\n]+)"|([^\s";,]+))/i.exec(contentType)
  const boundary = match?.[1] ?? match?.[2] ?? ''
  return boundary === '' || boundary.length > BOUNDARY_CHARS_MAX ? null : boundary
}

export class FieldLook {
  private readonly name: string
  private readonly delimiter: Buffer
  private readonly bytes = Buffer.allocUnsafe(LOOK_BYTES_MAX)
  private used = 0
  /** Where the next delimiter is searched: before it there is none. */
  private at = 0
  /** Start of the part's headers and of its value; -1 while not known. */
  private headersFrom = -1
  private valueFrom = -1

  constructor(name: string, boundary: string) {
    this.name = name
    this.delimiter = Buffer.from(`${DASHES}${boundary}`, 'latin1')
  }

  /** Takes as much as fits; returns how much that was. Copied. */
  push(bytes: Uint8Array): number {
    const taken = Math.min(bytes.length, LOOK_BYTES_MAX - this.used)
    this.bytes.set(bytes.subarray(0, taken), this.used)
    this.used += taken
    return taken
  }

  /** Everything pushed so far. */
  get held(): Buffer {
    return this.bytes.subarray(0, this.used)
  }

  look(): Found {
    const { held } = this
    for (;;) {
      const next = this.valueFrom >= 0 ? this.value(held) : this.header(held)
      if (next !== 'again') return next === 'more' && this.used === LOOK_BYTES_MAX ? 'beyond' : next
    }
  }

  /** Finds a delimiter, then the end of the headers behind it. */
  private header(held: Buffer): Found | 'again' {
    if (this.headersFrom < 0) {
      const found = held.indexOf(this.delimiter, this.at)
      if (found < 0) {
        this.at = Math.max(this.at, held.length - this.delimiter.length)
        return 'more'
      }
      this.headersFrom = found + this.delimiter.length
      this.at = this.headersFrom
    }
    if (held.length < this.headersFrom + DASHES.length) return 'more'
    if (held.toString('latin1', this.headersFrom, this.headersFrom + DASHES.length) === DASHES)
      return 'absent'
    const end = held.indexOf(HEADERS_END, this.at)
    if (end < 0) {
      this.at = Math.max(this.headersFrom, held.length - HEADERS_END.length)
      return 'more'
    }
    const wanted = fieldName(held.toString('utf8', this.headersFrom, end)) === this.name
    this.headersFrom = -1
    this.at = end + HEADERS_END.length
    if (wanted) this.valueFrom = this.at
    return 'again'
  }

  private value(held: Buffer): Found {
    const end = held.indexOf(this.delimiter, this.at)
    if (end < 0) {
      this.at = Math.max(this.valueFrom, held.length - this.delimiter.length)
      return 'more'
    }
    const from = this.valueFrom
    // The line break in front of a delimiter belongs to it.
    const to = Math.max(from, end - 2)
    return { value: held.toString('utf8', from, to), from, to }
  }
}

/** The name of a part that is a plain field, or null: a file is none. */
export function fieldName(headers: string): string | null {
  const line = /(?:^|\r\n)content-disposition:([^\r\n]*)/i.exec(headers)?.[1]
  if (line === undefined || /;\s*filename\*?=/i.test(line)) return null
  const match = /;\s*name=(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))/i.exec(line)
  return match?.[1] ?? match?.[2] ?? null
}
