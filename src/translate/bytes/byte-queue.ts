// Keeps pieces of a body or a frame until they are whole. Bounded. Joins once, never grows by copying.

export class ByteQueue {
  private readonly bytesMax: number
  private pieces: Uint8Array[]
  length: number

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
    this.pieces = []
    this.length = 0
  }

  /** Copies a lent piece. Returns false, keeping nothing, when the bound would be passed. */
  push(piece: Uint8Array): boolean {
    if (this.length + piece.length > this.bytesMax) {
      this.clear()
      return false
    }
    if (piece.length === 0) return true
    this.pieces.push(piece.slice())
    this.length += piece.length
    return true
  }

  /** Everything, as one array; the queue is empty afterwards. */
  take(): Uint8Array {
    const [first] = this.pieces
    if (first !== undefined && this.pieces.length === 1) {
      this.clear()
      return first
    }
    const joined = new Uint8Array(this.length)
    let at = 0
    for (const piece of this.pieces) {
      joined.set(piece, at)
      at += piece.length
    }
    this.clear()
    return joined
  }

  clear(): void {
    this.pieces = []
    this.length = 0
  }
}
