// Where each value of a configuration stands in its file. The trick: places hang on the identity of the plain
// objects that the file was read into, so a migration may move an object anywhere and its errors still name the
// line and the key the person wrote.

export type Path = readonly (string | number)[]
export type Tree = Record<string, unknown>

export interface Place {
  /** From 1; null where there is no file. */
  readonly line: number | null
  readonly column: number | null
  /** As the person wrote it: `model_providers[2].model`. */
  readonly path: string
}

/** What is known of one key: offsets into the text, and what stood there before. */
interface KeyFacts {
  readonly keyOffset: number
  readonly valueOffset: number
  /** What stood there before variables were replaced. */
  written: string | undefined
  /** The key as written, where a migration renamed it. */
  name: string | undefined
}

interface ObjectPlace {
  readonly path: Path
  readonly offset: number
  readonly keys: Map<string | number, KeyFacts>
}

/** Line and column of an offset; lines are counted when somebody asks, which most files never need. */
export type PositionOf = (offset: number) => { readonly line: number; readonly column: number }

export class Places {
  private readonly objects = new WeakMap<object, ObjectPlace>()
  private positionOf: PositionOf = () => ({ line: 1, column: 1 })

  countLines(positionOf: PositionOf): void {
    this.positionOf = positionOf
  }

  note(object: object, path: Path, offset: number): void {
    this.objects.set(object, { path, offset, keys: new Map() })
  }

  noteKey(object: object, key: string | number, keyOffset: number, valueOffset: number): void {
    this.objects.get(object)?.keys.set(key, { keyOffset, valueOffset, written: undefined, name: undefined })
  }

  /** Remembers the text a variable reference stood in. */
  noteWritten(object: object, key: string | number, text: string): void {
    const facts = this.objects.get(object)?.keys.get(key)
    if (facts !== undefined) facts.written = text
  }

  /** Gives `copy` the place of `original`, for migrations that build a new object from an old one. */
  keep<T extends object>(copy: T, original: object): T {
    const place = this.objects.get(original)
    if (place !== undefined && !this.objects.has(copy)) this.objects.set(copy, place)
    return copy
  }

  /** A migration renamed a key: errors still point at the old one. */
  moveKey(object: object, from: string, to: string): void {
    const keys = this.objects.get(object)?.keys
    const facts = keys?.get(from)
    if (facts !== undefined) keys!.set(to, { ...facts, name: from })
  }

  /** Does the value at a path stand in the file, and not only something around it? */
  knows(root: unknown, path: Path): boolean {
    const holder = path.length === 0 ? undefined : valueAt(root, path.slice(0, -1))
    if (typeof holder !== 'object' || holder === null) return false
    return this.objects.get(holder)?.keys.has(path[path.length - 1]!) ?? false
  }

  /** The text as written where variables were replaced, else undefined. */
  writtenAt(root: unknown, path: Path): string | undefined {
    const holder = path.length === 0 ? undefined : valueAt(root, path.slice(0, -1))
    if (typeof holder !== 'object' || holder === null) return undefined
    return this.objects.get(holder)?.keys.get(path[path.length - 1]!)?.written
  }

  /** The place of a value, or of the nearest thing around it; `key` asks for the place of the key itself. */
  at(root: unknown, path: Path, of: 'value' | 'key' = 'value'): Place {
    let holder: unknown = root
    let known: ObjectPlace | undefined
    let rest: Path = path
    // A key belongs to the object that holds it, not to the value behind it.
    const deepest = of === 'key' ? path.length - 1 : path.length
    for (let depth = 0; ; depth++) {
      const place = typeof holder === 'object' && holder !== null ? this.objects.get(holder) : undefined
      if (place !== undefined) {
        known = place
        rest = path.slice(depth)
      }
      if (depth >= deepest || typeof holder !== 'object' || holder === null) break
      holder = (holder as Tree)[path[depth]!]
    }
    if (known === undefined) return { line: null, column: null, path: pathText(path) }
    const key = rest[0]
    const facts = key === undefined ? undefined : known.keys.get(key)
    const written = key === undefined ? [] : [facts?.name ?? key, ...rest.slice(1)]
    const text = pathText([...known.path, ...written])
    const byKey = of === 'key' || rest.length > 1
    const offset = facts === undefined ? known.offset : byKey ? facts.keyOffset : facts.valueOffset
    return { ...this.positionOf(offset), path: text }
  }
}

export function valueAt(root: unknown, path: Path): unknown {
  let value = root
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Tree)[key]
  }
  return value
}

/** `a.b[2].c`; a key that is not a plain word is quoted. The top of the file is `(top)`. */
export function pathText(path: Path): string {
  if (path.length === 0) return '(top)'
  let text = ''
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`
    else if (/^[A-Za-z_][\w-]*$/.test(key)) text += text === '' ? key : `.${key}`
    else text += `["${printable(key)}"]`
  }
  return text
}

/** Text of a person in a message: short, on one line. */
export function printable(text: string): string {
  const clean = text.replace(/[\x00-\x1f\x7f]/g, '?')
  return clean.length > SHOWN_CHARS_MAX ? `${clean.slice(0, SHOWN_CHARS_MAX)}…` : clean
}

/** Enough to recognise a value, short enough for one line. */
const SHOWN_CHARS_MAX = 80

/** True for a plain record; lists, null and scalars are not. */
export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
