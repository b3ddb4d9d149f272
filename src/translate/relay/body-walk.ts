// Walks a client's body once and refuses what is not JSON in UTF-8, naming the byte. Keeps where the wanted members
// of the outermost object stand, and nothing else: no tree, no text, no recursion.
// The trick: inside a string four bytes are looked at in one step.

import { TranslateError } from '../translate-error.ts'
import { equalBytes } from './member-scanner.ts'
import { asciiEnd } from './plain-text.ts'

/** Deeper nesting is no prompt. Translated bodies have the same bound. */
export const DEPTH_MAX = 256

export interface MemberRange {
  /** Place of its name among those that were wanted. */
  readonly wanted: number
  readonly from: number
  readonly to: number
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const MINUS = 0x2d
const LETTER_U = 0x75

/** 1 for the letter of an escape of two characters. */
const ESCAPE = new Uint8Array(256)
for (const code of encoder.encode('"\\/bfnrt')) ESCAPE[code] = 1
const WORDS = ['true', 'false', 'null'].map(word => encoder.encode(word))

/** Brackets that are open; one walk at a time, because nothing here waits. */
const open = new Uint8Array(DEPTH_MAX)

/** What may come next. */
const VALUE = 0
const FIRST_ELEMENT = 1
const FIRST_NAME = 2
const NAME = 3
const AFTER = 4

export class BodyWalk {
  readonly members: MemberRange[]
  /** Behind the outermost opening brace. */
  insideFrom: number
  /** Behind the last value, or `insideFrom` when there is none. */
  insideTo: number
  private readonly bytes: Uint8Array
  private readonly view: DataView
  private readonly to: number
  private readonly wanted: readonly Uint8Array[]
  private at: number
  private depth: number
  /** Wanted member whose value is being read, or -1. */
  private member: number
  private memberFrom: number
  private next: number

  constructor(bytes: Uint8Array, from: number, to: number, wanted: readonly Uint8Array[]) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.to = to
    this.wanted = wanted
    this.members = []
    this.at = from
    this.depth = 0
    this.member = -1
    this.memberFrom = 0
    this.next = VALUE
    this.insideFrom = from
    this.insideTo = from
    this.walk()
  }

  private walk(): void {
    const { bytes, to } = this
    this.white()
    if (this.at === to) throw refusal('the body is empty; a JSON object is expected')
    if (bytes[this.at] !== OPEN_BRACE) throw this.notAnObject()
    do {
      if (this.at === to) throw this.broken('more')
      this.step(bytes[this.at]!)
      this.white()
    } while (this.depth > 0)
    if (this.at !== to) throw this.broken('the end')
  }

  private step(code: number): void {
    switch (this.next) {
      case FIRST_NAME:
        if (code === CLOSE_BRACE) this.close()
        else this.name(code)
        return
      case NAME:
        this.name(code)
        return
      case AFTER:
        this.after(code)
        return
      case FIRST_ELEMENT:
        if (code === CLOSE_BRACKET) {
          this.close()
          return
        }
    }
    this.value(code)
  }

  private value(code: number): void {
    if (this.depth === 1) this.memberFrom = this.at
    if (code === OPEN_BRACE) this.open(code, FIRST_NAME)
    else if (code === OPEN_BRACKET) this.open(code, FIRST_ELEMENT)
    else {
      if (code === QUOTE) this.string()
      else if (code === MINUS || isDigit(code)) this.number()
      else this.word()
      this.valueEnded()
    }
  }

  private open(code: number, next: number): void {
    if (this.depth === DEPTH_MAX) throw refusal(`the body nests deeper than ${DEPTH_MAX} levels`)
    open[this.depth] = code
    this.depth += 1
    this.at += 1
    this.next = next
    if (this.depth === 1) {
      this.insideFrom = this.at
      this.insideTo = this.at
    }
  }

  private close(): void {
    this.at += 1
    this.depth -= 1
    this.valueEnded()
  }

  private valueEnded(): void {
    this.next = AFTER
    if (this.depth !== 1) return
    this.insideTo = this.at
    if (this.member < 0) return
    this.members.push({ wanted: this.member, from: this.memberFrom, to: this.at })
    this.member = -1
  }

  private after(code: number): void {
    const inObject = open[this.depth - 1] === OPEN_BRACE
    if (code === COMMA) {
      this.at += 1
      this.next = inObject ? NAME : VALUE
    } else if (code === (inObject ? CLOSE_BRACE : CLOSE_BRACKET)) this.close()
    else throw this.broken(`a comma or a closing ${inObject ? 'brace' : 'bracket'}`)
  }

  private name(code: number): void {
    if (code !== QUOTE) throw this.broken('a member name')
    const from = this.at
    const plain = this.string()
    if (this.depth === 1) this.member = this.wantedAt(from, this.at, plain)
    this.white()
    if (this.bytes[this.at] !== COLON || this.at >= this.to) throw this.broken('a colon')
    this.at += 1
    this.next = VALUE
  }

  /** Escapes in a name are no way around: it is compared as a reader of the body would see it. */
  private wantedAt(from: number, to: number, plain: boolean): number {
    if (plain) return this.indexOf(this.bytes, from + 1, to - 1)
    const text: unknown = JSON.parse(decoder.decode(this.bytes.subarray(from, to)))
    const name = encoder.encode(text as string)
    return this.indexOf(name, 0, name.length)
  }

  private indexOf(bytes: Uint8Array, from: number, to: number): number {
    for (let index = 0; index < this.wanted.length; index++) {
      if (equalBytes(this.wanted[index]!, bytes, from, to)) return index
    }
    return -1
  }

  /** From quote to quote; true when it holds no escape. */
  private string(): boolean {
    const { bytes, view, to } = this
    let plain = true
    let at = this.at + 1
    for (;;) {
      at = asciiEnd(bytes, view, at, to)
      this.at = at
      if (at >= to) throw this.broken('the end of a string')
      const code = bytes[at]!
      if (code === QUOTE) {
        this.at = at + 1
        return plain
      }
      if (code === BACKSLASH) {
        plain = false
        at = at + 1 < to && ESCAPE[bytes[at + 1]!] === 1 ? at + 2 : this.unicodeEscape(at + 1)
      } else if (code >= 0x80) at = this.sequence(at, code)
      else throw this.broken('a string without control characters')
    }
  }

  private unicodeEscape(at: number): number {
    if (at >= this.to || this.bytes[at] !== LETTER_U) throw this.broken('an escape')
    for (let digit = at + 1; digit < at + 5; digit++) {
      if (digit >= this.to || !isHex(this.bytes[digit]!)) throw this.broken('four hexadecimal digits')
    }
    return at + 5
  }

  /** One character of two to four bytes, by the table of RFC 3629. */
  private sequence(at: number, code: number): number {
    const { bytes } = this
    const second = bytes[at + 1] ?? 0
    let length = 0
    if (code >= 0xc2 && code <= 0xdf) length = 2
    else if (code >= 0xe0 && code <= 0xef) {
      if ((code !== 0xe0 || second >= 0xa0) && (code !== 0xed || second <= 0x9f)) length = 3
    } else if (code >= 0xf0 && code <= 0xf4) {
      if ((code !== 0xf0 || second >= 0x90) && (code !== 0xf4 || second <= 0x8f)) length = 4
    }
    for (let more = 1; more < length; more++) {
      if ((bytes[at + more] ?? 0) >> 6 !== 2) length = 0
    }
    if (length === 0 || at + length > this.to) throw refusal(`the body is not valid UTF-8 at byte ${at}`)
    return at + length
  }

  private number(): void {
    const { bytes } = this
    let { at } = this
    if (bytes[at] === MINUS) at += 1
    if (bytes[at] === 0x30) at += 1
    else at = this.digits(at)
    if (bytes[at] === 0x2e) at = this.digits(at + 1)
    if (bytes[at] === 0x65 || bytes[at] === 0x45) {
      at += 1
      if (bytes[at] === 0x2b || bytes[at] === MINUS) at += 1
      at = this.digits(at)
    }
    this.at = at
  }

  private digits(from: number): number {
    let at = from
    while (at < this.to && isDigit(this.bytes[at]!)) at += 1
    if (at === from) {
      this.at = at
      throw this.broken('a digit')
    }
    return at
  }

  private word(): void {
    const word = WORDS.find(candidate =>
      equalBytes(candidate, this.bytes, this.at, Math.min(this.at + candidate.length, this.to)),
    )
    if (word === undefined) throw this.broken('a value')
    this.at += word.length
  }

  private white(): void {
    let { at } = this
    for (; at < this.to; at++) {
      const code = this.bytes[at]!
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) break
    }
    this.at = at
  }

  private broken(wanted: string): TranslateError {
    return refusal(`the body is not JSON: expected ${wanted} at byte ${this.at}`)
  }

  /** Broken JSON is called broken, whatever it starts with. */
  private notAnObject(): TranslateError {
    const code = this.bytes[this.at]!
    if (code === 0xef) return refusal('the body starts with a byte order mark; JSON has none')
    const found =
      code === OPEN_BRACKET
        ? 'an array'
        : code === QUOTE
          ? 'a string'
          : code === MINUS || isDigit(code)
            ? 'a number'
            : null
    if (found === null) return this.broken('an object')
    return refusal(`the body must be a JSON object, found ${found}`)
  }
}

function refusal(message: string): TranslateError {
  return new TranslateError('invalid', message)
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

function isHex(code: number): boolean {
  return isDigit(code) || ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x66)
}
