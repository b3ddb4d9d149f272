// An HTTP/2 server that says exactly the frames a test wants, in the order and the segments it wants, and nothing else:
// not even what the protocol asks for.

import type { AddressInfo } from 'node:net'
import tls, { type TLSSocket } from 'node:tls'

export const DATA = 0
export const HEADERS = 1
export const RST_STREAM = 3
export const SETTINGS = 4
export const PING = 6
export const GOAWAY = 7
export const END_STREAM = 1
export const ACK = 1
const END_HEADERS = 4

const PREFACE_BYTES = 24
const FRAME_HEAD_BYTES = 9

export interface Frame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(FRAME_HEAD_BYTES)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** Status 200 and these fields, none of them compressed. */
export function head(stream: number, fields: readonly string[] = [], flags = 0): Buffer {
  const parts: Buffer[] = [Buffer.from([0x88])]
  for (let at = 0; at < fields.length; at += 2) {
    const [name, value] = [Buffer.from(fields[at]!), Buffer.from(fields[at + 1]!)]
    parts.push(Buffer.from([0, name.length]), name, Buffer.from([value.length]), value)
  }
  return frame(HEADERS, flags | END_HEADERS, stream, Buffer.concat(parts))
}

export function data(stream: number, text: string, flags = 0): Buffer {
  return frame(DATA, flags, stream, Buffer.from(text))
}

export function reset(stream: number, code: number): Buffer {
  return frame(RST_STREAM, 0, stream, numbers(code))
}

export function goaway(lastStream: number, code: number): Buffer {
  return frame(GOAWAY, 0, 0, numbers(lastStream, code))
}

/** Setting 3 is how many streams the client may have. */
export function settings(streamsMax: number | null): Buffer {
  if (streamsMax === null) return frame(SETTINGS, 0, 0)
  return frame(SETTINGS, 0, 0, Buffer.concat([Buffer.from([0, 3]), numbers(streamsMax)]))
}

function numbers(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [at, value] of values.entries()) bytes.writeUInt32BE(value, at * 4)
  return bytes
}

export interface FrameServer {
  readonly port: number
  readonly sockets: TLSSocket[]
  close(): Promise<void>
}

/** `connected` is called with each socket; `received` with each frame, and the number of its connection from 1 on. */
export async function startFrameServer(
  certificate: { readonly key: string; readonly cert: string },
  received: (frame: Frame, socket: TLSSocket, connection: number) => void,
  connected: (socket: TLSSocket, connection: number) => void = socket => socket.write(settings(null)),
): Promise<FrameServer> {
  const sockets: TLSSocket[] = []
  const server = tls.createServer({ ...certificate, ALPNProtocols: ['h2'] }, socket => {
    sockets.push(socket)
    const number = sockets.length
    let bytes = Buffer.alloc(0)
    let greeted = false
    socket.on('error', () => {})
    socket.on('data', chunk => {
      bytes = Buffer.concat([bytes, chunk])
      if (!greeted && bytes.length >= PREFACE_BYTES) {
        greeted = true
        bytes = bytes.subarray(PREFACE_BYTES)
      }
      while (greeted && bytes.length >= FRAME_HEAD_BYTES) {
        const end = FRAME_HEAD_BYTES + bytes.readUIntBE(0, 3)
        if (bytes.length < end) return
        const payload = bytes.subarray(FRAME_HEAD_BYTES, end)
        const whole = { type: bytes[3]!, flags: bytes[4]!, stream: bytes.readUInt32BE(5), payload }
        bytes = bytes.subarray(end)
        received(whole, socket, number)
      }
    })
    connected(socket, number)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    close: async () => {
      const closed = new Promise(resolve => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
