// Knows the last frame of a stream by heart. Nearly every frame is the one before it with another text in it: then
// the parsed frame is the one before it as well, with that text put in its place, and nothing is parsed.
// Owns the proof that a frame is the known one; knows no dialect: the reader names the members that may differ.
// The trick: bytes are compared, not read (`relay/repeats.ts`), and text is cut from the piece decoded once.

import type { Members } from '../bytes/json-look.ts'
import { Repeats } from '../relay/repeats.ts'
import type { Watcher } from '../relay/member-scanner.ts'
import { JsonMarks, type Mark } from './json-marks.ts'

/** A member that differs from frame to frame, by its way from the top. */
interface Slot {
  readonly way: readonly string[]
  /** False for members that nobody reads: padding, running numbers. */
  readonly read: boolean
}

export interface Slots {
  readonly slots: readonly Slot[]
  readonly ways: readonly (readonly string[])[]
}

/** `read` are members that mean something, `padding` those that nobody reads: `choices.0.delta.content`. */
export function slotsOf(read: readonly string[], padding: readonly string[]): Slots {
  const slots = [
    ...read.map(path => ({ way: path.split('.'), read: true })),
    ...padding.map(path => ({ way: path.split('.'), read: false })),
  ]
  return { slots, ways: slots.map(slot => slot.way) }
}

interface Place {
  readonly slot: Slot
  readonly holder: Record<string, unknown>
  readonly name: string
  from: number
  to: number
  count: number
}

/** Longer frames are not learnt, and nobody looks for their members. */
const FRAME_BYTES_MAX = 1024
const QUOTE = 0x22
const BACKSLASH = 0x5c
/** The byte order mark is text here; the framing takes it off where it means something. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

export class KnownFrame implements Watcher {
  readonly wants: number[] = []
  private readonly repeats: Repeats
  private places: Place[]
  private event: Members
  private bytes: Uint8Array
  private view: DataView
  /** The piece at hand as text, when it is ASCII and has been asked for. */
  private ascii: string | null
  private decoded: boolean

  constructor() {
    this.repeats = new Repeats()
    this.places = []
    this.event = NOTHING
    this.bytes = NO_BYTES
    this.view = NO_VIEW
    this.ascii = null
    this.decoded = false
  }

  get known(): boolean {
    return this.repeats.known
  }

  /**
   * Learns `bytes[from, to)`, a frame whose JSON starts at `jsonFrom` and was parsed as `event`. The event is changed
   * and given again by `match`, so nobody may keep it.
   */
  learn(bytes: Uint8Array, from: number, jsonFrom: number, to: number, event: Members, slots: Slots): void {
    if (to - from > FRAME_BYTES_MAX || !slots.slots.some(slot => slot.read && says(event, slot))) return
    this.places = []
    this.event = event
    const found: number[] = []
    for (const mark of new JsonMarks(bytes, slots.ways).find(jsonFrom, to)) {
      const slot = slots.slots[mark.wanted]!
      const place = placeOf(event, slot, mark, bytes)
      if (place === null || this.places.some(other => other.slot === slot)) {
        this.repeats.forget()
        return
      }
      found.push(this.places.length, mark.from, mark.to)
      this.places.push(place)
    }
    this.repeats.learn(bytes, from, to, found)
  }

  /** Frames are looked for in these bytes, lent until `release`. */
  begin(bytes: Uint8Array): void {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.ascii = null
    this.decoded = false
  }

  release(): void {
    this.bytes = NO_BYTES
    this.view = NO_VIEW
    this.ascii = null
  }

  /** Index behind the frame at `at` if it is the known one again, else -1. Then `again` is what it says. */
  match(at: number): number {
    const end = this.repeats.match(this.bytes, this.view, at, this)
    if (end < 0) return -1
    for (const place of this.places) {
      const { read } = place.slot
      if (place.from < 0) {
        if (read) place.holder[place.name] = place.count
        continue
      }
      const text = this.text(place)
      if (text === null) return -1
      if (read) place.holder[place.name] = text
    }
    return end
  }

  get again(): Members {
    return this.event
  }

  taken(tag: number, _bytes: Uint8Array, from: number, to: number): void {
    const place = this.places[tag]!
    place.from = from
    place.to = to
  }

  counted(tag: number, value: number): void {
    const place = this.places[tag]!
    place.from = -1
    place.count = value
  }

  touched(): void {}
  opened(): void {}
  closed(): void {}

  /** Null when the literal is none. What nobody reads is only looked at. */
  private text({ slot, from, to }: Place): string | null {
    const { bytes } = this
    for (let at = from + 1; at < to - 1; at++) if (bytes[at] === BACKSLASH) return literal(bytes, from, to)
    if (!slot.read) return ''
    if (!this.decoded) {
      this.decoded = true
      const whole = decoder.decode(bytes)
      this.ascii = whole.length === bytes.length ? whole : null
    }
    return this.ascii === null
      ? decoder.decode(bytes.subarray(from + 1, to - 1))
      : this.ascii.slice(from + 1, to - 1)
  }
}

/** The object that has the member, or null. */
function holderOf(event: Members, { way }: Slot): Record<string, unknown> | null {
  let holder: unknown = event
  for (let step = 0; step < way.length - 1; step++) {
    if (typeof holder !== 'object' || holder === null) return null
    holder = (holder as Members)[way[step]!]
  }
  return typeof holder === 'object' && holder !== null ? (holder as Record<string, unknown>) : null
}

/** The frame has a text there: only then is one like it to be expected. */
function says(event: Members, slot: Slot): boolean {
  const value = holderOf(event, slot)?.[slot.way.at(-1)!]
  return typeof value === 'string' && value !== ''
}

/** Null when the parsed event has something else there, as it has when a member is named twice. */
function placeOf(event: Members, slot: Slot, { from, to }: Mark, bytes: Uint8Array): Place | null {
  const holder = holderOf(event, slot)
  if (holder === null) return null
  const name = slot.way.at(-1)!
  const value = holder[name]
  const same = bytes[from] === QUOTE ? value === literal(bytes, from, to) : typeof value === 'number'
  return same ? { slot, holder, name, from: 0, to: 0, count: 0 } : null
}

/** A string literal with its quotes; null when it is none. */
function literal(bytes: Uint8Array, from: number, to: number): string | null {
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes.subarray(from, to)))
    return typeof value === 'string' ? value : null
  } catch {
    return null
  }
}

const NOTHING: Members = {}
const NO_BYTES = new Uint8Array(0)
const NO_VIEW = new DataView(NO_BYTES.buffer)
