// A request body on its way from the socket to the engine: collected or handed on, counted against its bound.
// Owns the one copy that lent bytes need; knows nothing of sockets. The trick: a body that comes in one piece,
// or whose announced length is small, is copied straight to where it stays.

import type { RequestSink } from '../gateway/index.ts'
import { PREALLOCATE_BYTES_MAX } from './bounds.ts'

/**
 * What the giver does next. `pause`: stop giving until `resumeBody`. `complete`: the sink has everything.
 * `too-large`: the bound is passed and the sink was not told; nothing more may be given.
 */
export type BodyMove = 'more' | 'pause' | 'complete' | 'too-large'

const EMPTY = new Uint8Array(0)

export class BodyIntake {
  private readonly sink: RequestSink
  /** Announced length, null when there is none. */
  private readonly contentLength: number | null
  /** Pieces in order, while their number is unknown. */
  private pieces: Uint8Array[] | null = null
  /** Where the whole body is put together; its length is the announced one. */
  private target: Uint8Array | null = null
  private bytes = 0

  constructor(sink: RequestSink, contentLength: number | null) {
    this.sink = sink
    this.contentLength = contentLength
  }

  /** More than the sink takes has been announced. */
  get announcedTooLarge(): boolean {
    return this.contentLength !== null && this.contentLength > this.sink.bodyBytesMax
  }

  /** `lent` says that the bytes die when this call returns. */
  take(piece: Uint8Array, last: boolean, lent: boolean): BodyMove {
    const { sink } = this
    this.bytes += piece.length
    if (this.bytes > sink.bodyBytesMax) return this.refuse()
    switch (sink.bodyMode) {
      case 'discard':
        return last ? 'complete' : 'more'
      case 'chunks':
        return this.pass(piece, last, lent)
      case 'whole':
        if (last) this.sink.body(this.finish(piece, lent))
        else if (piece.length > 0) this.keep(piece, lent)
        return last ? 'complete' : 'more'
    }
  }

  private refuse(): BodyMove {
    this.pieces = null
    this.target = null
    return 'too-large'
  }

  private pass(piece: Uint8Array, last: boolean, lent: boolean): BodyMove {
    const goOn = piece.length === 0 || this.sink.chunk(lent ? copyOf(piece) : piece)
    if (last) {
      this.sink.bodyEnd()
      return 'complete'
    }
    return goOn ? 'more' : 'pause'
  }

  private keep(piece: Uint8Array, lent: boolean): void {
    const before = this.bytes - piece.length
    if (this.target !== null) {
      this.target.set(piece, before)
      return
    }
    const { contentLength } = this
    // An announcement costs its sender nothing; memory for a long one waits until bytes have come.
    if (
      contentLength !== null &&
      (contentLength <= PREALLOCATE_BYTES_MAX || before >= PREALLOCATE_BYTES_MAX)
    ) {
      this.target = Buffer.allocUnsafeSlow(contentLength)
      this.gather(this.target)
      this.target.set(piece, before)
      return
    }
    this.pieces ??= []
    this.pieces.push(lent ? copyOf(piece) : piece)
  }

  private finish(piece: Uint8Array, lent: boolean): Uint8Array {
    if (this.bytes === piece.length) {
      if (piece.length === 0) return EMPTY
      return lent ? copyOf(piece) : piece
    }
    if (piece.length === 0 && this.pieces?.length === 1) return this.pieces[0]!
    if (this.target === null && this.pieces !== null) this.target = Buffer.allocUnsafeSlow(this.bytes)
    const target = this.target!
    this.gather(target)
    target.set(piece, this.bytes - piece.length)
    this.target = null
    return target
  }

  private gather(target: Uint8Array): void {
    let at = 0
    for (const piece of this.pieces ?? []) {
      target.set(piece, at)
      at += piece.length
    }
    this.pieces = null
  }
}

/** Small bodies share a few kilobytes of memory: an allocation for each would cost more than the copy. */
function copyOf(piece: Uint8Array): Uint8Array {
  const copy = Buffer.allocUnsafe(piece.length)
  copy.set(piece)
  return copy
}
