// Knows the last ordinary event of a stream by heart. Nearly every event is the one before it with another text in
// it: if its other bytes are the same, it means the same, and nothing of it has to be looked at again.
// The trick: the bytes between the values that differ are compared eight at a time.

import type { Watcher } from './member-scanner.ts'

/** Longest event that is learnt; text events of all vendors are shorter. One such buffer per stream. */
const EVENT_BYTES_MAX = 1024
/** Most values that may differ. */
const SPANS_MAX = 8
/** Digits of a count that is exact. */
const DIGITS_MAX = 15

/** After so many events in a row that were not like the one before, learning rests. */
const MISSES_MAX = 12
/** For so many events: a stream that changes its ways is tried again. */
const REST_EVENTS = 100

const QUOTE = 0x22
const BACKSLASH = 0x5c

export class Repeats {
  private bytes: Uint8Array
  private view: DataView
  /** Length of the event; 0 while none is known. */
  private used: number
  /** Values that differ: tag, start, end. */
  private readonly spans: number[]
  /** Where they are in the event at hand: start, end. */
  private readonly found: number[]
  private misses: number
  private rest: number

  constructor() {
    this.bytes = EMPTY
    this.view = EMPTY_VIEW
    this.used = 0
    this.spans = []
    this.found = []
    this.misses = 0
    this.rest = 0
  }

  get known(): boolean {
    return this.used > 0
  }

  forget(): void {
    this.used = 0
  }

  /** Learns `bytes[from, to)`, an event that may come again without saying anything new. */
  learn(bytes: Uint8Array, from: number, to: number, marks: readonly number[]): void {
    this.used = 0
    if (to - from > EVENT_BYTES_MAX || marks.length > SPANS_MAX * 3 || this.resting) return
    if (this.bytes === EMPTY) {
      this.bytes = new Uint8Array(EVENT_BYTES_MAX)
      this.view = new DataView(this.bytes.buffer)
    }
    this.bytes.set(bytes.subarray(from, to))
    this.used = to - from
    this.spans.length = 0
    for (let mark = 0; mark < marks.length; mark += 3) {
      this.spans.push(marks[mark]!, marks[mark + 1]! - from, marks[mark + 2]! - from)
    }
  }

  /** Learning an event costs as much as it saves, so a stream whose events differ is left alone for a while. */
  private get resting(): boolean {
    if (this.misses < MISSES_MAX) {
      this.misses += 1
      return false
    }
    this.rest += 1
    if (this.rest < REST_EVENTS) return true
    this.misses = 0
    this.rest = 0
    return false
  }

  /** Index behind the event at `from` if it is the known one again, else -1. What it tells is told. */
  match(bytes: Uint8Array, view: DataView, from: number, watcher: Watcher): number {
    const { spans, found } = this
    let at = from
    let known = 0
    for (let span = 0; span < spans.length; span += 3) {
      const spanFrom = spans[span + 1]!
      if (!this.same(view, at, known, spanFrom)) return -1
      const valueFrom = at + spanFrom - known
      at = valueEnd(bytes, valueFrom, this.bytes[spanFrom]!)
      if (at < 0) return -1
      found[span] = valueFrom
      found[span + 1] = at
      known = spans[span + 2]!
    }
    if (!this.same(view, at, known, this.used)) return -1
    for (let span = 0; span < spans.length; span += 3) {
      const tag = spans[span]!
      if (tag >= 0) tell(watcher, tag, bytes, found[span]!, found[span + 1]!)
    }
    this.misses = 0
    return at + this.used - known
  }

  private same(view: DataView, at: number, from: number, to: number): boolean {
    const mine = this.view
    let length = to - from
    if (at + length > view.byteLength) return false
    let here = at
    let there = from
    // As doubles, because only they compare eight bytes without an allocation. No text is a NaN.
    for (; length >= 8; length -= 8) {
      if (view.getFloat64(here) !== mine.getFloat64(there)) return false
      here += 8
      there += 8
    }
    for (; length > 0; length--) {
      if (view.getUint8(here) !== mine.getUint8(there)) return false
      here += 1
      there += 1
    }
    return true
  }
}

function tell(watcher: Watcher, tag: number, bytes: Uint8Array, from: number, to: number): void {
  if (bytes[from] === 0x7b || bytes[from] === QUOTE) watcher.taken(tag, bytes, from, to)
  else {
    let value = 0
    for (let at = from; at < to; at++) value = value * 10 + bytes[at]! - 0x30
    watcher.counted(tag, value)
  }
}

/** Index behind the value at `from`, which must be of the kind that `first` begins; -1 if it is not. */
function valueEnd(bytes: Uint8Array, from: number, first: number): number {
  if (first === QUOTE) return bytes[from] === QUOTE ? stringEnd(bytes, from + 1) : -1
  if (first === 0x7b) return bytes[from] === 0x7b ? objectEnd(bytes, from) : -1
  let at = from
  while (bytes[at]! >= 0x30 && bytes[at]! <= 0x39) at += 1
  // A number that begins with a zero and goes on is none.
  if (bytes[from] === 0x30 && at - from > 1) return -1
  return at === from || at - from > DIGITS_MAX ? -1 : at
}

function stringEnd(bytes: Uint8Array, from: number): number {
  let at = from
  for (;;) {
    const code = bytes[at]
    if (code === QUOTE) return at + 1
    if (code === BACKSLASH) at += 2
    else if (code === undefined || code < 0x20) return -1
    else at += 1
  }
}

function objectEnd(bytes: Uint8Array, from: number): number {
  let at = from
  let open = 0
  for (;;) {
    const code = bytes[at]
    if (code === QUOTE) {
      at = stringEnd(bytes, at + 1)
      if (at < 0) return -1
      continue
    }
    if (code === undefined || code < 0x20) return -1
    const bracket = code | 0x20
    at += 1
    if (bracket === 0x7b) open += 1
    else if (bracket === 0x7d) {
      open -= 1
      if (open === 0) return at
    }
  }
}

const EMPTY = new Uint8Array(0)
const EMPTY_VIEW = new DataView(EMPTY.buffer)
