// Keys that stand in files, read again when the file changes: rotated secrets are used without a reload. Owns how often
// is looked; refuses to give up a key that works because its file is away for a moment.

import { readFile, stat } from 'node:fs/promises'
import type { Clock } from '../../common/clock.ts'

/** Calls look at a file at most this often; a rotated key is used this late at most. */
const LOOK_MS = 1_000
/** The same bound as when the configuration was loaded. */
const KEY_BYTES_MAX = 64 * 1024
const USABLE = /^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/

interface KnownFile {
  key: string
  /** Size, time and number of the file whose key this is; empty when never looked. */
  mark: string
  lookedAtMs: number
  looking: Promise<string> | null
}

export class KeyFiles {
  private readonly clock: Clock
  private readonly files = new Map<string, KnownFile>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** The key in a file now; `loaded` is what stood there when the configuration was read. */
  keyIn(file: string, loaded: string): string | Promise<string> {
    let known = this.files.get(file)
    if (known === undefined) {
      known = { key: loaded, mark: '', lookedAtMs: Number.NEGATIVE_INFINITY, looking: null }
      this.files.set(file, known)
    }
    if (known.looking !== null) return known.looking
    if (this.clock.monotonicMs() - known.lookedAtMs < LOOK_MS) return known.key
    known.looking = this.look(file, known)
    return known.looking
  }

  private async look(file: string, known: KnownFile): Promise<string> {
    try {
      const { size, mtimeMs, ino } = await stat(file)
      const mark = `${size} ${mtimeMs} ${ino}`
      if (mark !== known.mark && size <= KEY_BYTES_MAX) {
        const key = (await readFile(file, 'utf8')).trim()
        if (USABLE.test(key)) known.key = key
        known.mark = mark
      }
    } catch {
      // Being replaced, or away: the last key stands.
    }
    known.lookedAtMs = this.clock.monotonicMs()
    known.looking = null
    return known.key
  }
}
