// A request body that comes piece by piece, on its way to the socket. Owns the framing (an announced length, or chunks)
// and the word back to the source when the socket takes bytes again. Holds nothing: what the kernel does not take at
// once is the socket's, and the source is asked to wait.

import type { Socket } from 'node:net'
import { assert } from '../common/assert.ts'
import type { Call } from './call.ts'
import type { BodySink, BodySource } from './upstream.ts'

const CRLF = '\r\n'

export class RequestBody implements BodySink {
  /** The whole body has been written. */
  ended = false
  private readonly source: BodySource
  private readonly socket: Socket
  private readonly call: Call
  private leftBytes: number
  private asked = false

  constructor(source: BodySource, socket: Socket, call: Call) {
    this.source = source
    this.socket = socket
    this.call = call
    this.leftBytes = source.bytes ?? 0
  }

  /** The head goes first; the source is asked one turn later, because nothing is called before `send` returns. */
  begin(head: string): void {
    this.socket.write(head, 'latin1')
    setImmediate(() => {
      if (!this.over) this.source.ready(this)
    })
  }

  /** Everything given so far has left, and the source has no more yet: the silence is its own. */
  get starved(): boolean {
    return !this.ended && this.socket.writableLength === 0
  }

  drained(): void {
    if (!this.asked || this.over) return
    this.asked = false
    this.source.ready(this)
  }

  write(piece: Uint8Array): boolean {
    if (this.over || piece.length === 0) return true
    const { socket, source } = this
    this.call.touched = true
    let goOn: boolean
    if (source.bytes === null) {
      socket.cork()
      socket.write(piece.length.toString(16) + CRLF, 'latin1')
      socket.write(piece)
      goOn = socket.write(CRLF, 'latin1')
      socket.uncork()
    } else {
      this.leftBytes -= piece.length
      assert(this.leftBytes >= 0, 'a body is not longer than its announced length')
      goOn = socket.write(piece)
    }
    // Corked bytes count as taken only when the cork is out.
    if (goOn || !socket.writableNeedDrain) return true
    this.asked = true
    return false
  }

  end(): void {
    if (this.over) return
    assert(this.source.bytes === null || this.leftBytes === 0, 'a body has its announced length')
    this.ended = true
    this.call.touched = true
    if (this.source.bytes === null) this.socket.write('0' + CRLF + CRLF, 'latin1')
  }

  private get over(): boolean {
    return this.ended || this.call.phase === 'over'
  }
}
