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
  /** The value differs from one frame of a kind to the next; see `repeats.ts`. */
  readonly varies: boolean
  readonly names: readonly Uint8Array[]
  readonly members: readonly Place[]
  /** Place of every element of an array, or null. */
  readonly element: Place | null

  constructor(parts: {
    readonly act?: number
    readonly tag?: number
    readonly varies?: boolean
    readonly members?: Readonly<Record<string, Place>>
    readonly element?: Place
  }) {
    const members = parts.members ?? {}
    this.act = parts.act ?? PASS
    this.tag = parts.tag ?? -1
    this.varies = parts.varies ?? false
    this.names = Object.keys(members).map(name => encoder.encode(name))
    this.members = Object.values(members)
    this.element = parts.element ?? null
  }
}

export function take(tag: number): Place {
  return new Place({ act: TAKE, tag })
}

/** Taken from every frame, and different in each. */
export function takeEach(tag: number): Place {
  return new Place({ act: TAKE, tag, varies: true })
}

export function touch(tag: number): Place {
  return new Place({ act: TOUCH, tag, varies: true })
}

export function count(tag: number): Place {
  return new Place({ act: COUNT, tag })
}

export function countEach(tag: number): Place {
  return new Place({ act: COUNT, tag, varies: true })
}

/** Nobody asks for it, but it differs in every frame. */
export function noise(): Place {
  return new Place({ varies: true })
}

export function object(members: Readonly<Record<string, Place>>, tag = -1): Place {
  return new Place({ tag, members })
}

export function list(element: Place, tag = -1): Place {
  return new Place({ tag, element })
}
