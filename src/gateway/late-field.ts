// Exchanges the value of a form's field while the form passes, for fields that stand behind a file too long to be held.
// Owns finding the field in bytes cut anywhere; holds no more than the field itself.
//
// The length of the form has been announced by then, so it must not change: what a shorter value leaves over becomes
// blanks in front of the field's own header value, where every reader of forms skips them.

import { GatewayError } from '../common/errors.ts'
import { fieldName } from './multipart.ts'

/** Header fields of one part; browsers and clients send two short lines. */
const PART_HEAD_BYTES_MAX = 8 * 1024
/** A longer value is no name of a model. */
const VALUE_BYTES_MAX = 1024

const CLOSING = '--'
const HEAD_END = Buffer.from('\r\n\r\n')
const NOTHING = Buffer.alloc(0)

/** `file`: looking for the next delimiter. `head`: behind one. `value`: in the field. `pass`: nothing more to do. */
type State = 'file' | 'head' | 'value' | 'pass'

export class LateField {
  private readonly name: string
  private readonly delimiter: Buffer
  private readonly lengthIsFixed: boolean
  private readonly exchangeFor: (value: string) => string
  private state: State = 'file'
  /** Bytes that may belong to what is looked for. */
  private kept: Buffer = NOTHING
  /** Length of the head in `kept`, once the field is found. */
  private headBytes = 0

  constructor(
    name: string,
    boundary: string,
    lengthIsFixed: boolean,
    exchangeFor: (value: string) => string,
  ) {
    this.name = name
    this.delimiter = Buffer.from(`${CLOSING}${boundary}`, 'latin1')
    this.lengthIsFixed = lengthIsFixed
    this.exchangeFor = exchangeFor
  }

  /** The bytes that may go on, in order. */
  push(bytes: Uint8Array): readonly Uint8Array[] {
    if (this.state === 'pass') return [bytes]
    const out: Uint8Array[] = []
    this.kept = this.kept.length === 0 ? asBuffer(bytes) : Buffer.concat([this.kept, bytes])
    while (this.step(out));
    // What is kept must not hold a whole piece in memory, nor one that is not ours.
    this.kept = Buffer.from(this.kept)
    return out
  }

  /** The form is over: so is the waiting. */
  end(): readonly Uint8Array[] {
    const { kept } = this
    this.kept = NOTHING
    this.state = 'pass'
    return kept.length === 0 ? [] : [kept]
  }

  /** True when there is more to do with what is kept. */
  private step(out: Uint8Array[]): boolean {
    switch (this.state) {
      case 'file':
        return this.inFile(out)
      case 'head':
        return this.inHead(out)
      case 'value':
        return this.inValue(out)
      case 'pass':
        this.give(out, this.kept.length)
        return false
    }
  }

  private inFile(out: Uint8Array[]): boolean {
    const { delimiter, kept } = this
    const at = kept.indexOf(delimiter)
    if (at < 0) {
      this.give(out, Math.max(0, kept.length - delimiter.length + 1))
      return false
    }
    this.give(out, at + delimiter.length)
    this.state = 'head'
    return true
  }

  private inHead(out: Uint8Array[]): boolean {
    const { kept } = this
    if (kept.toString('latin1', 0, CLOSING.length) === CLOSING) {
      this.state = 'pass'
      return true
    }
    const end = kept.indexOf(HEAD_END)
    if (end < 0) {
      if (kept.length <= PART_HEAD_BYTES_MAX) return false
      this.state = 'file'
      return true
    }
    const headBytes = end + HEAD_END.length
    if (fieldName(kept.toString('utf8', 0, end)) === this.name) {
      this.headBytes = headBytes
      this.state = 'value'
    } else {
      this.give(out, headBytes)
      this.state = 'file'
    }
    return true
  }

  private inValue(out: Uint8Array[]): boolean {
    const { headBytes, kept } = this
    const end = kept.indexOf(this.delimiter, headBytes)
    if (end < 0 && kept.length <= headBytes + VALUE_BYTES_MAX) return false
    this.state = 'pass'
    // The line break in front of a delimiter belongs to it.
    const to = Math.max(headBytes, end - 2)
    if (end < 0 || to - headBytes > VALUE_BYTES_MAX) return true
    const value = kept.toString('utf8', headBytes, to)
    const now = Buffer.from(this.exchangeFor(value), 'utf8')
    const spare = to - headBytes - now.length
    if (spare < 0 && this.lengthIsFixed) throw tooLong(this.name)
    const colon = kept.toString('latin1', 0, headBytes).search(/content-disposition:/i)
    const blanksAt = colon + 'content-disposition:'.length
    const blanks = Buffer.alloc(this.lengthIsFixed ? spare : 0, ' ')
    out.push(kept.subarray(0, blanksAt), blanks, kept.subarray(blanksAt, headBytes), now)
    this.kept = kept.subarray(to)
    return true
  }

  private give(out: Uint8Array[], bytes: number): void {
    if (bytes > 0) out.push(this.kept.subarray(0, bytes))
    this.kept = this.kept.subarray(bytes)
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

function tooLong(name: string): GatewayError {
  return new GatewayError(
    'bad-request',
    `the form's \`${name}\` stands behind its file and stands for a longer name; put it in front of the file`,
    { param: name, code: 'model_too_late' },
  )
}
