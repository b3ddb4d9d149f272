// Finds members of JSON in bytes cut anywhere, without making a tree or text of them. Owns the walk; what a member
// means is the watcher's. Holds nothing of its input but the start of a name or of a wanted value that a cut tore.
// The trick: below a name nobody asked for, only brackets and quotes are looked at.
//
// It is no validator: a reply is its upstream's business, and the client's parser judges it. `whole` says that the
// brackets closed, which no truncated document can do.

import { ByteQueue } from '../bytes/byte-queue.ts'
import { shortTextEnd, textEnd } from './plain-text.ts'
import { COUNT, PASS, type Place, TAKE, TOUCH } from './places.ts'

/** A wanted value longer than this is passed over: ids, usage and errors are far shorter. */
const TAKEN_BYTES_MAX = 64 * 1024
/** No wanted name is longer. */
const NAME_BYTES_MAX = 64
/** Input from which on looking at four bytes at once pays for the view it needs. */
const LONG_BYTES = 1024
/** Deepest tree of places, with room. */
const PLACES_DEPTH_MAX = 16
/** Digits of a count; more would not be exact. */
const COUNT_MAX = 2 ** 50

export interface Watcher {
  /** By tag: 0 once the watcher has what it needs. */
  readonly wants: number[]
  /** The JSON text of a value is `bytes[from, to)`; lent until return. */
  taken(tag: number, bytes: Uint8Array, from: number, to: number): void
  touched(tag: number): void
  counted(tag: number, value: number): void
  opened(tag: number): void
  closed(tag: number): void
}

const VALUE = 0
const STRING = 1
const STRING_ESCAPE = 2
const NAME = 3
const NAME_ESCAPE = 4
const MEMBER = 5
const COLON = 6
const AFTER = 7
const SCALAR = 8
const SKIP = 9
const SKIP_STRING = 10
const SKIP_ESCAPE = 11
const DONE = 12
const BROKEN = 13
/** After the opening bracket of a touched container. */
const OPENED = 14

const LF = 0x0a
const CR = 0x0d
const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c

export class MemberScanner {
  private readonly root: Place
  private readonly watcher: Watcher
  private state: number
  /** Places of the open containers that are looked into, outermost first. */
  private readonly places: Place[]
  private readonly objects: boolean[]
  private depth: number
  /** Open brackets of the container that is skipped. */
  private skipped: number
  /** Place of the value that comes next or is being read, or null. */
  private next: Place | null
  /** What is done with the value that is being read. */
  private act: number
  /** The value being read is one of `marks`. */
  private marking: boolean
  /** Values of the document that differ from frame to frame: tag, start, end, as indexes of what is being fed. */
  readonly marks: number[]
  private taking: boolean
  private takenFrom: number
  private readonly torn: ByteQueue
  private touching: boolean
  private number: number
  private view: DataView | null
  /** Start of a torn name; made when the first one is torn. */
  private name: Uint8Array
  /** Bytes of a torn name kept so far; more than fits means a name nobody wants. */
  private nameUsed: number
  private nameFrom: number

  constructor(root: Place, watcher: Watcher) {
    this.root = root
    this.watcher = watcher
    this.places = new Array<Place>(PLACES_DEPTH_MAX).fill(root)
    this.objects = new Array<boolean>(PLACES_DEPTH_MAX).fill(false)
    this.torn = new ByteQueue(TAKEN_BYTES_MAX)
    this.view = null
    this.name = EMPTY
    this.state = VALUE
    this.depth = 0
    this.skipped = 0
    this.next = root
    this.act = PASS
    this.marking = false
    this.marks = []
    this.taking = false
    this.takenFrom = 0
    this.touching = false
    this.number = -1
    this.nameUsed = 0
    this.nameFrom = 0
  }

  /** A document begins. */
  reset(): void {
    this.state = VALUE
    this.depth = 0
    this.skipped = 0
    this.next = this.root
    this.marking = false
    if (this.marks.length > 0) this.marks.length = 0
    if (this.taking) this.torn.clear()
    this.taking = false
    this.touching = false
    this.nameUsed = 0
  }

  /** Exactly one object or array has been read. */
  get whole(): boolean {
    return this.state === DONE
  }

  get broken(): boolean {
    return this.state === BROKEN
  }

  /** Nothing but white space has been read. */
  get empty(): boolean {
    return this.state === VALUE && this.depth === 0
  }

  /**
   * Reads up to a line break or to the end, and returns where it stopped. A line break is white space to JSON and
   * an end to server-sent events; who calls knows which.
   */
  feed(bytes: Uint8Array, from: number, to: number): number {
    let at = from
    if (this.taking) this.takenFrom = from
    if (this.state === NAME || this.state === NAME_ESCAPE) this.nameFrom = from
    while (at < to) {
      const code = bytes[at]!
      if (code === LF || code === CR) break
      at = this.step(bytes, at, to, code)
    }
    this.view = null
    if (this.taking) this.keepTaken(bytes, at)
    if (this.state === NAME || this.state === NAME_ESCAPE) this.keepName(bytes, at)
    return at
  }

  /** The line break at `at`, where `feed` stopped: white space between tokens, no JSON inside a string. */
  lineBreak(at: number): void {
    if (this.state === SCALAR) this.endScalar(EMPTY, at)
    else if (isText(this.state)) this.state = BROKEN
  }

  /** One token, or as much of it as there is. Returns where it stopped, which is past `at`. */
  private step(bytes: Uint8Array, at: number, to: number, code: number): number {
    switch (this.state) {
      case SKIP:
        return this.skip(bytes, at, to)
      case SKIP_STRING:
      case STRING:
      case NAME:
        return this.text(bytes, at, to, code)
      case SKIP_ESCAPE:
        this.state = SKIP_STRING
        return at + 1
      case STRING_ESCAPE:
        this.state = STRING
        return at + 1
      case NAME_ESCAPE:
        // No name that anyone wants is spelled with an escape.
        this.nameUsed = NAME_BYTES_MAX + 1
        this.state = NAME
        return at + 1
      case MEMBER:
        this.member(at, code)
        return at + 1
      case COLON:
        if (code === 0x3a) this.state = VALUE
        else if (code > 0x20) this.state = BROKEN
        return at + 1
      case AFTER:
        this.after(code)
        return at + 1
      case VALUE:
        this.value(at, code)
        return at + 1
      case SCALAR:
        return this.scalar(bytes, at, to)
      case OPENED:
        return this.open(at, code)
      case DONE:
        if (code > 0x20) this.state = BROKEN
        return at + 1
      default:
        return lineEnd(bytes, at, to)
    }
  }

  private value(at: number, code: number): void {
    if (code <= 0x20) return
    const place = this.next
    this.act = place === null || (place.tag >= 0 && this.watcher.wants[place.tag] === 0) ? PASS : place.act
    if (place?.varies === true && (code === QUOTE || code === 0x7b || isDigit(code))) {
      this.marking = true
      this.marks.push(this.act === TAKE || this.act === COUNT ? place.tag : -1, at, 0)
    }
    if (this.depth === 0 && code !== 0x7b && code !== 0x5b) this.state = BROKEN
    else if (code === QUOTE) {
      this.state = STRING
      this.touching = this.act === TOUCH
      if (this.act === TAKE) this.startTaking(at)
    } else if (code === 0x7b || code === 0x5b) this.container(at, code === 0x7b, place)
    else if (code === 0x5d && !this.objects[this.depth - 1]!) this.close()
    else this.startScalar(at, code)
  }

  private container(at: number, isObject: boolean, place: Place | null): void {
    if (this.act === TAKE) this.startTaking(at)
    if (place === null || (isObject ? place.names.length === 0 : place.element === null)) {
      this.skipped = 1
      this.state = this.act === TOUCH ? OPENED : SKIP
      return
    }
    this.places[this.depth] = place
    this.objects[this.depth] = isObject
    this.depth += 1
    if (place.tag >= 0) this.watcher.opened(place.tag)
    if (isObject) this.state = MEMBER
    else {
      this.next = place.element
      this.state = VALUE
    }
  }

  /** The first byte inside a touched container decides whether it says something. */
  private open(at: number, code: number): number {
    if (code <= 0x20) return at + 1
    this.state = SKIP
    if (code !== 0x7d && code !== 0x5d) this.watcher.touched(this.next!.tag)
    return at
  }

  private startScalar(at: number, code: number): void {
    this.state = SCALAR
    this.number = isDigit(code) ? code - 0x30 : -1
    // The first letter of null: it is as if the member were absent.
    if (code === 0x6e) this.act = PASS
    else if (this.act === TOUCH) this.watcher.touched(this.next!.tag)
    else if (this.act === TAKE) this.startTaking(at)
  }

  private scalar(bytes: Uint8Array, from: number, to: number): number {
    let at = from
    while (at < to) {
      const code = bytes[at]!
      if (code === COMMA || code === 0x7d || code === 0x5d || code <= 0x20) {
        this.endScalar(bytes, at)
        return this.nextName(bytes, at, to)
      }
      if (isDigit(code) && this.number >= 0 && this.number < COUNT_MAX) {
        this.number = this.number * 10 + code - 0x30
      } else this.number = -1
      at += 1
    }
    return at
  }

  private endScalar(bytes: Uint8Array, at: number): void {
    if (this.act === COUNT && this.number >= 0) this.watcher.counted(this.next!.tag, this.number)
    this.endValue(bytes, at)
  }

  private member(at: number, code: number): void {
    if (code === QUOTE) {
      this.state = NAME
      this.nameFrom = at + 1
      this.nameUsed = 0
    } else if (code === 0x7d) this.close()
    else if (code > 0x20) this.state = BROKEN
  }

  private after(code: number): void {
    if (code <= 0x20) return
    const inObject = this.objects[this.depth - 1]!
    if (code === COMMA) {
      if (inObject) this.state = MEMBER
      else {
        this.next = this.places[this.depth - 1]!.element
        this.state = VALUE
      }
    } else if (code === (inObject ? 0x7d : 0x5d)) this.close()
    else this.state = BROKEN
  }

  private close(): void {
    this.depth -= 1
    this.state = this.depth === 0 ? DONE : AFTER
    const { tag } = this.places[this.depth]!
    if (tag >= 0) this.watcher.closed(tag)
  }

  private skip(bytes: Uint8Array, from: number, to: number): number {
    let at = from
    let open = this.skipped
    while (at < to) {
      const code = bytes[at]!
      at += 1
      if (code === QUOTE) {
        this.state = SKIP_STRING
        break
      }
      // Both kinds of bracket differ from each other in one bit only: { [ and } ].
      const bracket = code | 0x20
      if (bracket === 0x7b) open += 1
      else if (bracket === 0x7d) {
        open -= 1
        if (open === 0) {
          this.skipped = 0
          this.endValue(bytes, at)
          return this.nextName(bytes, at, to)
        }
      } else if (code === LF || code === CR) {
        at -= 1
        break
      }
    }
    this.skipped = open
    return at
  }

  /** A string of any kind, up to its end, an escape or the end of the input. */
  private text(bytes: Uint8Array, from: number, to: number, first: number): number {
    let at = from
    let code = first
    if (this.touching) {
      this.touching = false
      if (code !== QUOTE) this.watcher.touched(this.next!.tag)
    }
    at = to - at < LONG_BYTES ? shortTextEnd(bytes, at, to) : textEnd(bytes, this.viewOf(bytes), at, to)
    if (at === to) return at
    code = bytes[at]!
    if (code === QUOTE) return this.endText(bytes, at, to)
    if (code === BACKSLASH) this.state += 1
    else if (code === LF || code === CR) return at
    return at + 1
  }

  private viewOf(bytes: Uint8Array): DataView {
    this.view ??= new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return this.view
  }

  private endText(bytes: Uint8Array, at: number, to: number): number {
    const { state } = this
    if (state === SKIP_STRING) this.state = SKIP
    else if (state === STRING) {
      this.endValue(bytes, at + 1)
      return this.nextName(bytes, at + 1, to)
    } else {
      this.next = this.placeOfName(bytes, at)
      this.state = COLON
      // What upstreams print: the value starts behind the colon.
      if (at + 2 < to && bytes[at + 1] === 0x3a && bytes[at + 2]! > 0x20) {
        this.state = VALUE
        this.value(at + 2, bytes[at + 2]!)
        return at + 3
      }
    }
    return at + 1
  }

  /** What upstreams print: behind a value comes a comma and at once the next name. */
  private nextName(bytes: Uint8Array, at: number, to: number): number {
    if (at + 1 >= to || bytes[at] !== COMMA || bytes[at + 1] !== QUOTE) return at
    if (this.state !== AFTER || !this.objects[this.depth - 1]!) return at
    this.state = NAME
    this.nameFrom = at + 2
    this.nameUsed = 0
    return at + 2
  }

  private endValue(bytes: Uint8Array, at: number): void {
    if (this.marking) {
      this.marking = false
      this.marks[this.marks.length - 1] = at
    }
    if (this.taking) this.endTaking(bytes, at)
    this.state = this.depth === 0 ? DONE : AFTER
  }

  private placeOfName(bytes: Uint8Array, at: number): Place | null {
    const place = this.places[this.depth - 1]!
    if (this.nameUsed === 0) return memberOf(place, bytes, this.nameFrom, at)
    this.keepName(bytes, at)
    return this.nameUsed > NAME_BYTES_MAX ? null : memberOf(place, this.name, 0, this.nameUsed)
  }

  private keepName(bytes: Uint8Array, to: number): void {
    if (this.name === EMPTY) this.name = new Uint8Array(NAME_BYTES_MAX)
    const used = this.nameUsed + to - this.nameFrom
    if (used <= NAME_BYTES_MAX) this.name.set(bytes.subarray(this.nameFrom, to), this.nameUsed)
    // A name torn right after its quote must still be known to be torn.
    this.nameUsed = Math.min(used, NAME_BYTES_MAX + 1)
  }

  private startTaking(at: number): void {
    this.taking = true
    this.takenFrom = at
  }

  private endTaking(bytes: Uint8Array, to: number): void {
    this.taking = false
    const { tag } = this.next!
    if (this.torn.length === 0) {
      if (to - this.takenFrom <= TAKEN_BYTES_MAX) this.watcher.taken(tag, bytes, this.takenFrom, to)
      return
    }
    if (bytes !== EMPTY && !this.torn.push(bytes.subarray(this.takenFrom, to))) return
    const joined = this.torn.take()
    this.watcher.taken(tag, joined, 0, joined.length)
  }

  private keepTaken(bytes: Uint8Array, to: number): void {
    if (!this.torn.push(bytes.subarray(this.takenFrom, to))) this.taking = false
  }
}

const EMPTY = new Uint8Array(0)

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

function isText(state: number): boolean {
  return state <= NAME_ESCAPE ? state !== VALUE : state === SKIP_STRING || state === SKIP_ESCAPE
}

function lineEnd(bytes: Uint8Array, from: number, to: number): number {
  let at = from
  while (at < to && bytes[at] !== LF && bytes[at] !== CR) at += 1
  return at
}

function memberOf(place: Place, bytes: Uint8Array, from: number, to: number): Place | null {
  const { names } = place
  const length = to - from
  const first = bytes[from]
  for (let index = 0; index < names.length; index++) {
    const name = names[index]!
    if (name.length === length && name[0] === first && equalBytes(name, bytes, from, to)) {
      return place.members[index]!
    }
  }
  return null
}

/** True when `bytes[from, to)` is `wanted`. */
export function equalBytes(wanted: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (wanted.length !== to - from) return false
  for (let at = 0; at < wanted.length; at++) {
    if (bytes[from + at] !== wanted[at]) return false
  }
  return true
}
