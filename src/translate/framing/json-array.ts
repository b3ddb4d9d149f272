// Elements of a JSON array that streams, from bytes cut anywhere. Owns finding where each element ends, and the end
// of the array; a single object counts as an array of one. Refuses to parse: elements are handed on as text.
// The trick: the ends of strings are found by native searches; a torn element keeps its pieces joined once.

/** As for server-sent events: a generated image is the largest element. Counted in UTF-16 units. */
const ELEMENT_UNITS_MAX = 32 * 1024 * 1024

export interface ElementSink {
  element(json: string): void
  /** Something that no array of objects contains; nothing follows. */
  broken(message: string): void
}

export class JsonArrayReader {
  private readonly sink: ElementSink
  private readonly unitsMax: number
  private readonly decoder: TextDecoder
  /** Pieces of the open element. */
  private pending: string
  private depth: number
  private inString: boolean
  private escaped: boolean
  private state: 'before' | 'between' | 'inside' | 'after'
  private bracketed: boolean
  private stopped: boolean

  constructor(sink: ElementSink, unitsMax: number = ELEMENT_UNITS_MAX) {
    this.sink = sink
    this.unitsMax = unitsMax
    this.decoder = new TextDecoder()
    this.pending = ''
    this.depth = 0
    this.inString = false
    this.escaped = false
    this.state = 'before'
    this.bracketed = false
    this.stopped = false
  }

  /** The array, or the single object, has been closed. */
  get complete(): boolean {
    return this.state === 'after'
  }

  write(chunk: Uint8Array): void {
    if (this.stopped) return
    const text = this.decoder.decode(chunk, STREAM)
    let index = 0
    while (index < text.length && !this.stopped) {
      index = this.state === 'inside' ? this.inside(text, index) : this.outside(text, index)
    }
  }

  /** The sink has what it wants; what still arrives is dropped. */
  stop(): void {
    this.stopped = true
    this.pending = ''
  }

  private outside(text: string, index: number): number {
    const code = text.charCodeAt(index)
    if (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) return index + 1
    if (this.state === 'after') this.fail('bytes after the end')
    else if (code === 0x7b) {
      this.state = 'inside'
      return index
    } else if (code === 0x5b && this.state === 'before') {
      this.state = 'between'
      this.bracketed = true
    } else if (code === 0x5d && this.state === 'between') this.state = 'after'
    else if (code !== 0x2c || this.state === 'before') this.fail('an element is not a JSON object')
    return index + 1
  }

  private inside(text: string, start: number): number {
    let index = start
    while (index < text.length) {
      if (this.inString) {
        index = this.pastString(text, index)
        continue
      }
      const code = text.charCodeAt(index)
      index += 1
      if (code === 0x22) this.inString = true
      else if (code === 0x7b || code === 0x5b) this.depth += 1
      else if (code === 0x7d || code === 0x5d) {
        this.depth -= 1
        if (this.depth > 0) continue
        this.emit(text.slice(start, index))
        return index
      }
    }
    if (this.pending.length + index - start > this.unitsMax) this.fail('an element is too long')
    else this.pending += text.slice(start)
    return index
  }

  /** Index behind the end of the open string; the length of the text when it goes on. */
  private pastString(text: string, start: number): number {
    let from = start
    if (this.escaped) {
      this.escaped = false
      from += 1
    }
    for (;;) {
      const quote = text.indexOf('"', from)
      const end = quote === -1 ? text.length : quote
      let slashes = 0
      while (end - 1 - slashes >= from && text.charCodeAt(end - 1 - slashes) === 0x5c) slashes += 1
      if (quote === -1) {
        this.escaped = slashes % 2 === 1
        return end
      }
      from = quote + 1
      if (slashes % 2 === 1) continue
      this.inString = false
      return from
    }
  }

  private emit(last: string): void {
    const json = this.pending + last
    this.pending = ''
    this.state = this.bracketed ? 'between' : 'after'
    if (json.length > this.unitsMax) this.fail('an element is too long')
    else this.sink.element(json)
  }

  private fail(message: string): void {
    this.stop()
    this.sink.broken(message)
  }
}

const STREAM = { stream: true }
