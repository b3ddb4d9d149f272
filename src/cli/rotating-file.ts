// A log that cannot fill a disk. Two kinds: `RotatingFile` for the log (renames full files, keeps a few), and
// `TrimmedFile` for what people read (keeps its end in place, because the system writes to the same descriptor when
// the process dies). Neither ever fails its writer: on a full disk lines are lost, and the gateway goes on.

import { fstatSync, ftruncateSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { Writable } from 'node:stream'

export interface RotationBounds {
  readonly bytesMax: number
  /** Files kept beside the current one: `log.1` is the youngest. */
  readonly filesMax: number
}

export class RotatingFile extends Writable {
  private readonly path: string
  private readonly bounds: RotationBounds
  private file: FileHandle | null = null
  private bytes = 0

  constructor(path: string, bounds: RotationBounds) {
    super({ decodeStrings: true })
    this.path = path
    this.bounds = bounds
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    void this.put(chunk).then(done, done)
  }

  override _writev(chunks: readonly { chunk: Buffer }[], done: () => void): void {
    void this.put(Buffer.concat(chunks.map(({ chunk }) => chunk))).then(done, done)
  }

  override _final(done: () => void): void {
    void (this.file?.close() ?? Promise.resolve()).then(done, done)
  }

  private async put(data: Buffer): Promise<void> {
    if (this.file !== null && this.bytes > 0 && this.bytes + data.length > this.bounds.bytesMax) {
      await this.file.close()
      this.file = null
      rotate(this.path, this.bounds.filesMax)
    }
    if (this.file === null) {
      this.file = await open(this.path, 'a', 0o600)
      this.bytes = (await this.file.stat()).size
    }
    await this.file.write(data)
    this.bytes += data.length
  }
}

function rotate(path: string, filesMax: number): void {
  rmSync(`${path}.${filesMax}`, { force: true })
  for (let at = filesMax - 1; at >= 1; at--) rename(`${path}.${at}`, `${path}.${at + 1}`)
  rename(path, `${path}.1`)
}

function rename(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch {
    // Fewer files than are kept.
  }
}

/** Writes to a descriptor opened for reading and appending; when it is full its older half goes. */
export class TrimmedFile extends Writable {
  private readonly descriptor: number
  private readonly bytesMax: number

  constructor(descriptor: number, bytesMax: number) {
    super({ decodeStrings: true })
    this.descriptor = descriptor
    this.bytesMax = bytesMax
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    try {
      writeSync(this.descriptor, chunk)
      if (fstatSync(this.descriptor).size > this.bytesMax) this.trim()
    } catch {
      // The disk is full; there is nowhere to say so.
    }
    done()
  }

  private trim(): void {
    const { size } = fstatSync(this.descriptor)
    const kept = Buffer.alloc(Math.floor(this.bytesMax / 2))
    const read = readSync(this.descriptor, kept, 0, kept.length, size - kept.length)
    const firstLine = kept.indexOf(0x0a) + 1
    ftruncateSync(this.descriptor, 0)
    writeSync(this.descriptor, kept.subarray(firstLine, read))
  }
}
