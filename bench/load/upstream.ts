// The model server of the benchmark, a process of its own: raw sockets and bytes built before they are wanted, so
// that it is never what a run measures. It answers by the command in the request body (replies.ts), in the dialect of
// the path.
// It owns no HTTP beyond what gateways send: content-length or chunked bodies, keep-alive, GET for its counters.

import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type DialectId, dialectOfPath, streamType } from './dialects.ts'
import { COMMAND_CLOSE, COMMAND_OPEN, type Command, framesOf, parseCommand } from './replies.ts'

/** A command is short; this much of the previous piece is kept so that one torn between two pieces is found. */
const COMMAND_BYTES_MAX = 64
const HEAD_END = Buffer.from('\r\n\r\n')
const CHUNKED_END = Buffer.from('0\r\n\r\n')
function streamHead(dialect: DialectId): Buffer {
  return Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: ${streamType(dialect)}\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n`,
  )
}

interface Wire {
  readonly command: Command
  /** The head with the first piece, then each further piece, as they go on the wire. */
  readonly pieces: readonly Buffer[]
}

const counters = { requests: 0, connections: 0, streams: 0, aborted: 0 }
const wires = new Map<string, Wire>()
/** Streams without a pace: each gets one frame per turn of the loop, so that frames are single writes. */
const eager = new Set<Connection>()
let eagerScheduled = false
/**
 * Streams with a pace. Each keeps its own due time: an interval per stream would restart late ones together after every
 * hiccup, and frames that travel together flatter whoever is slow.
 */
const paced = new Set<Connection>()
let pacedTimer: NodeJS.Timeout | null = null

function wireOf(dialect: DialectId, key: string): Wire {
  const id = `${dialect} ${key}`
  const known = wires.get(id)
  if (known !== undefined) return known
  const command = parseCommand(key) ?? { kind: 'chat', waitMs: 0 }
  const wire = { command, pieces: piecesOf(dialect, command) }
  wires.set(id, wire)
  return wire
}

function piecesOf(dialect: DialectId, command: Command): Buffer[] {
  const frames = framesOf(command, dialect)
  if (command.kind === 'chat') {
    const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${frames[0]!.length}\r\n\r\n`
    return [Buffer.concat([Buffer.from(head), frames[0]!])]
  }
  const chunks = frames.map(frame =>
    Buffer.concat([Buffer.from(`${frame.length.toString(16)}\r\n`), frame, Buffer.from('\r\n')]),
  )
  const first = Buffer.concat([streamHead(dialect), chunks[0]!])
  if (command.kind === 'hold') return [first]
  const rest = [...chunks.slice(1, -1), Buffer.concat([chunks.at(-1)!, CHUNKED_END])]
  return command.kind === 'bulk' ? [Buffer.concat([first, ...rest])] : [first, ...rest]
}

function pushEager(): void {
  eagerScheduled = false
  for (const connection of eager) connection.push()
  if (eager.size > 0) scheduleEager()
}

function scheduleEager(): void {
  if (eagerScheduled) return
  eagerScheduled = true
  setImmediate(pushEager)
}

function pushPaced(): void {
  const now = performance.now()
  for (const connection of paced) {
    if (connection.dueMs > now) continue
    connection.dueMs += connection.paceMs
    connection.push()
  }
  if (paced.size > 0 || pacedTimer === null) return
  clearInterval(pacedTimer)
  pacedTimer = null
}

class Connection {
  readonly socket: Socket
  head: Buffer
  /** Bytes of the body still to come; -1 between requests; -2 for a chunked body. */
  bodyLeft: number
  tail: Buffer
  key: string | null
  dialect: DialectId
  wire: Wire | null
  at: number
  timer: NodeJS.Timeout | null
  dueMs: number
  paceMs: number

  constructor(socket: Socket) {
    this.socket = socket
    this.head = Buffer.alloc(0)
    this.bodyLeft = -1
    this.tail = Buffer.alloc(0)
    this.key = null
    this.dialect = 'openai-chat'
    this.wire = null
    this.at = 0
    this.timer = null
    this.dueMs = 0
    this.paceMs = 0
  }

  accept(piece: Buffer): void {
    if (this.bodyLeft !== -1) {
      this.body(piece)
      return
    }
    const bytes = this.head.length === 0 ? piece : Buffer.concat([this.head, piece])
    const end = bytes.indexOf(HEAD_END)
    if (end < 0) {
      this.head = bytes
      return
    }
    this.head = Buffer.alloc(0)
    const text = bytes.toString('latin1', 0, end)
    const length = /\r\ncontent-length: *(\d+)/i.exec(text)
    if (text.startsWith('GET ')) {
      this.answerGet()
      return
    }
    this.dialect = dialectOfPath(text.slice(0, text.indexOf('\r\n')))
    this.bodyLeft = length === null ? -2 : Number(length[1])
    this.key = null
    this.tail = Buffer.alloc(0)
    this.body(bytes.subarray(end + HEAD_END.length))
  }

  body(piece: Buffer): void {
    if (this.key === null) this.look(piece)
    if (this.bodyLeft === -2) {
      const seen = Buffer.concat([this.tail, piece])
      if (seen.subarray(-CHUNKED_END.length).equals(CHUNKED_END)) this.answer()
      else this.tail = seen.subarray(-COMMAND_BYTES_MAX)
      return
    }
    this.bodyLeft -= piece.length
    if (this.bodyLeft <= 0) this.answer()
    else this.tail = piece.subarray(-COMMAND_BYTES_MAX)
  }

  look(piece: Buffer): void {
    const bytes = this.tail.length === 0 ? piece : Buffer.concat([this.tail, piece])
    const open = bytes.indexOf(COMMAND_OPEN)
    const close = open < 0 ? -1 : bytes.indexOf(COMMAND_CLOSE, open)
    if (close > 0) this.key = bytes.toString('latin1', open + COMMAND_OPEN.length, close)
  }

  answerGet(): void {
    const body = JSON.stringify(counters)
    this.socket.write(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    )
  }

  answer(): void {
    counters.requests += 1
    this.bodyLeft = -1
    this.tail = Buffer.alloc(0)
    const wire = wireOf(this.dialect, this.key ?? 'chat,0')
    const { command } = wire
    this.wire = wire
    this.at = 0
    counters.streams += 1
    if (command.kind === 'chat' && command.waitMs > 0) {
      this.timer = setTimeout(() => this.push(), command.waitMs)
      return
    }
    this.push()
    if (this.wire === null || (command.kind !== 'stream' && command.kind !== 'dressed')) return
    if (command.paceMs > 0) {
      this.paceMs = command.paceMs
      this.dueMs = performance.now() + command.paceMs
      paced.add(this)
      pacedTimer ??= setInterval(pushPaced, 1)
    } else {
      eager.add(this)
      scheduleEager()
    }
  }

  push(): void {
    const wire = this.wire
    if (wire === null) return
    this.socket.write(wire.pieces[this.at]!)
    this.at += 1
    if (this.at >= wire.pieces.length && wire.command.kind !== 'hold') this.done()
  }

  done(): void {
    if (this.wire !== null) counters.streams -= 1
    this.wire = null
    eager.delete(this)
    paced.delete(this)
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
  }

  closed(): void {
    counters.connections -= 1
    if (this.wire !== null) counters.aborted += 1
    this.done()
  }
}

const server = createServer({ noDelay: true }, socket => {
  counters.connections += 1
  const connection = new Connection(socket)
  socket.on('data', (piece: Buffer) => connection.accept(piece))
  socket.on('error', () => socket.destroy())
  socket.on('close', () => connection.closed())
})
server.listen({ host: '127.0.0.1', port: 0, backlog: 2048 }, () => {
  process.send?.({ port: (server.address() as AddressInfo).port })
})
process.on('disconnect', () => process.exit(0))
