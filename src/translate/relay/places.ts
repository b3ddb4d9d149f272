// Which members of a reply are looked at. A place is a node of a small tree of member names, built once per dialect;
// what has no place is skipped by counting brackets.

const encoder = new TextEncoder()

/** What the scanner does with the value at a place. */
export const PASS = 0
/** Hands over the bytes of the value. `null` is not handed over. */
export const TAKE = 1
/** Tells that the value is there and says something: not null, not empty. */
export const TOUCH = 2
/** Hands over a whole number. */
export const COUNT = 3

export class Place {
  readonly act: number
  /** Number in the watcher's vocabulary, or -1. On a container: told when it opens and closes. */
  readonly tag: number
  readonly names: readonly Uint8Array[]
  readonly members: readonly Place[]
  /** Place of every element of an array, or null. */
  readonly element: Place | null

  constructor(act: number, tag: number, members: Readonly<Record<string, Place>>, element: Place | null) {
    this.act = act
    this.tag = tag
    this.names = Object.keys(members).map(name => encoder.encode(name))
    this.members = Object.values(members)
    this.element = element
  }
}

export function take(tag: number): Place {
  return new Place(TAKE, tag, {}, null)
}

export function touch(tag: number): Place {
  return new Place(TOUCH, tag, {}, null)
}

export function count(tag: number): Place {
  return new Place(COUNT, tag, {}, null)
}

export function object(members: Readonly<Record<string, Place>>, tag = -1): Place {
  return new Place(PASS, tag, members, null)
}

export function list(element: Place, tag = -1): Place {
  return new Place(PASS, tag, {}, element)
}
