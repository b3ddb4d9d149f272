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

interface Mark {
  readonly line: number
  readonly column: number
}

interface ObjectPlace {
  readonly path: Path
  readonly start: Mark
  readonly keys: Map<string | number, Mark>
  readonly values: Map<string | number, Mark>
  /** What stood there before variables were replaced. */
  readonly written: Map<string | number, string>
  /** Today's key → the key as written, where a migration renamed it. */
  readonly names: Map<string | number, string>
}

export class Places {
  private readonly objects = new WeakMap<object, ObjectPlace>()

  note(object: object, path: Path, line: number, column: number): void {
    this.objects.set(object, {
      path,
      start: { line, column },
      keys: new Map(),
      values: new Map(),
      written: new Map(),
      names: new Map(),
    })
  }

  noteKey(object: object, key: string | number, line: number, column: number): void {
    this.objects.get(object)?.keys.set(key, { line, column })
  }

  noteValue(object: object, key: string | number, line: number, column: number): void {
    this.objects.get(object)?.values.set(key, { line, column })
  }

  /** Remembers the text a variable reference stood in. */
  noteWritten(object: object, key: string | number, text: string): void {
    this.objects.get(object)?.written.set(key, text)
  }

  /** Gives `copy` the place of `original`, for migrations that build a new object from an old one. */
  keep<T extends object>(copy: T, original: object): T {
    const place = this.objects.get(original)
    if (place !== undefined && !this.objects.has(copy)) this.objects.set(copy, place)
    return copy
  }

  /** A migration renamed a key: errors still point at the old one. */
  moveKey(object: object, from: string, to: string): void {
    const place = this.objects.get(object)
    if (place === undefined) return
    for (const map of [place.keys, place.values]) {
      const mark = map.get(from)
      if (mark !== undefined) map.set(to, mark)
    }
    place.names.set(to, from)
    const written = place.written.get(from)
    if (written !== undefined) place.written.set(to, written)
  }

  /** The text as written where variables were replaced, else undefined. */
  writtenAt(root: unknown, path: Path): string | undefined {
    const holder = path.length === 0 ? undefined : valueAt(root, path.slice(0, -1))
    if (typeof holder !== 'object' || holder === null) return undefined
    return this.objects.get(holder)?.written.get(path[path.length - 1]!)
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
    const written = key === undefined ? [] : [known.names.get(key) ?? key, ...rest.slice(1)]
    const text = pathText([...known.path, ...written])
    const mark =
      key === undefined
        ? known.start
        : ((of === 'key' || rest.length > 1 ? known.keys.get(key) : known.values.get(key)) ??
          known.keys.get(key) ??
          known.values.get(key) ??
          known.start)
    return { line: mark.line, column: mark.column, path: text }
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
