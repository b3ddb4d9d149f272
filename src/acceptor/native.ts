// Finds and loads the native server. Owns the part of its interface that is used here, written down by itself
// so that another build of it needs no other types. Refuses the imitation in JavaScript that some packages of it
// fall back to: the binary is loaded directly, or not at all.

import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** Text and bytes the native side reads before the call returns. */
type Writable = string | Uint8Array

/** One response; dead after its end or its abortion, and then every call throws. */
export interface NativeResponse {
  writeStatus(status: Writable): void
  writeHeader(name: Writable, value: Writable): void
  /** A chunk of a chunked reply. False: it was taken, but waits in memory. */
  write(chunk: Writable): boolean
  end(body?: Writable): void
  /** To be called without arguments only: a length, even an undefined one, makes it write nonsense. */
  endWithoutBody(): void
  /** A piece of a reply of known length: whether more may follow, and whether the reply is complete. */
  tryEnd(piece: Writable, totalBytes: number): readonly [boolean, boolean]
  getWriteOffset(): number
  close(): void
  pause(): void
  resume(): void
  cork(write: () => void): void
  onWritable(handler: () => boolean): void
  onAborted(handler: () => void): void
  onData(handler: (lent: ArrayBuffer, last: boolean) => void): void
  getRemoteAddress(): ArrayBuffer
}

/** One header block; dead when the handler returns. */
export interface NativeRequest {
  getCaseSensitiveMethod(): string
  getUrl(): string
  getQuery(): string | undefined
  forEach(field: (name: string, value: string) => void): void
}

export interface NativeListenSocket {
  readonly nativeListenSocket: never
}

export interface NativeApp {
  any(pattern: string, handler: (res: NativeResponse, req: NativeRequest) => void): void
  listen(
    host: string,
    port: number,
    options: number,
    done: (socket: NativeListenSocket | false | null) => void,
  ): void
  /** Closes the listen sockets and every connection. */
  close(): void
}

export interface Native {
  App(): NativeApp
  SSLApp(options: { readonly key_file_name: string; readonly cert_file_name: string }): NativeApp
  us_listen_socket_close(socket: NativeListenSocket): void
  us_socket_local_port(socket: NativeListenSocket): number
  /** `silent` leaves out the field that names the server. Per thread. */
  _cfg(setting: 'silent'): void
  readonly LIBUS_LISTEN_EXCLUSIVE_PORT: number
}

/** What the binary is called, in every package that has one. */
const BINARY = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`

/** The binary that belongs to the package whose entry is `main`, or null when it has none for this machine. */
export function findBinary(main: string): string | null {
  // The official package has its binaries beside its entry, the unofficial one in a folder of their own.
  const folders = [dirname(main), join(dirname(main), '../binaries')]
  return folders.map(folder => join(folder, BINARY)).find(path => existsSync(path)) ?? null
}

/** Loads the native server, or fails with one line that says why it cannot. */
export function loadNative(): Native {
  const require = createRequire(import.meta.url)
  let main: string
  try {
    main = require.resolve('uWebSockets.js')
  } catch {
    throw new Error('uWebSockets.js is not installed')
  }
  const path = findBinary(main)
  if (path === null) {
    throw new Error(
      `the installed uWebSockets.js has no build for Node ${process.versions.node} on ${process.platform}-${process.arch}`,
    )
  }
  let native: Native
  try {
    native = require(path) as Native
  } catch (thrown) {
    const [line] = String(thrown instanceof Error ? thrown.message : thrown).split('\n')
    throw new Error(`the native build of uWebSockets.js does not load: ${line}`)
  }
  native._cfg('silent')
  return native
}
