// Notices that files have changed, however they change: written in place, replaced by an editor's rename, swapped behind
// a symbolic link as Kubernetes does it, or appearing where there was none. Owns when to look and what counts as
// another content; refuses to know what the files say.
//
// The trick: events only say "look now". What is looked at is the content, and it must be the same twice before anybody
// is told, so that a half-written file is nobody's configuration. Where events do not reach (a network disk, a swapped
// folder), a look at sizes and times every other second does.

import { createHash } from 'node:crypto'
import { type FSWatcher, statSync, watch } from 'node:fs'
import { readFile, realpath, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'

export interface FileWatchOptions {
  /** Called after the files have changed and come to rest; never twice at a time. */
  readonly changed: () => Promise<void>
  /** For tests: the pace of looks without an event. */
  readonly pollMs?: number
}

/** Events come in bursts: this long after the first one is looked. */
const EVENT_WAIT_MS = 50
/** Contents that stay the same this long are complete. */
const REST_MS = 50
/** Files that never rest are taken as they are after this many looks. */
const RESTLESS_LOOKS_MAX = 40
const POLL_MS = 2_000
/** A configuration with its secrets and certificates is some ten files. */
const FILES_MAX = 1_000
const FOLDERS_MAX = 64
/** Larger files are told apart by size and time. */
const HASHED_BYTES_MAX = 4 * 1024 * 1024
/** The clock of a file system may lag behind the process's by a tick or two. */
const CLOCK_LAG_MS = 20

interface Seen {
  /** Size, time and number; cheap to look at. */
  readonly look: string
  readonly content: string
}

export type FileContents = ReadonlyMap<string, Seen>

const NOTHING: FileContents = new Map()

interface Folder {
  readonly watcher: FSWatcher | null
  /** The folder that was opened: a path may come to mean another. */
  readonly inode: number
}

/** A content that equals no other: whoever looks next finds a change. */
const UNKNOWN: Seen = { look: '', content: '' }

export class FileWatch {
  private readonly options: FileWatchOptions
  private readonly poll: NodeJS.Timeout
  private readonly folders: Map<string, Folder> = new Map()
  /** What was told of, or read since. */
  private seen: Map<string, Seen> = new Map()
  /** What was read last. */
  private read: ReadonlyMap<string, Seen> = new Map()
  /** Names in the watched folders that mean something. */
  private names: Set<string> = new Set()
  private timer: NodeJS.Timeout | null = null
  private looking = false
  private lookAgain = false
  private closed = false

  constructor(options: FileWatchOptions) {
    this.options = options
    this.poll = setInterval(() => void this.glance(), options.pollMs ?? POLL_MS).unref()
  }

  /**
   * Watches these files from now on, which have just been read. `readAtMs`: when reading began, and `before` what
   * {@link contents} was then. A file that has changed since is told of; one that was read as it is now is not, however
   * new it may be.
   */
  async watch(files: Iterable<string>, readAtMs: number, before: FileContents = NOTHING): Promise<void> {
    const wanted = [...new Set(files)].slice(0, FILES_MAX)
    const read = new Map<string, Seen>()
    for (const file of wanted) {
      const was = before.get(file)
      const is = was === undefined ? await firstLook(file, readAtMs) : await contentOf(file)
      // Also one that was written anew with the same text: what was read in between is anybody's guess.
      const stays = was === undefined || (was.content === is.content && was.look === is.look)
      read.set(file, stays ? is : UNKNOWN)
    }
    this.seen = new Map(read)
    this.read = read
    await this.openFolders()
    if ([...read.values()].includes(UNKNOWN)) this.wake()
  }

  /** What the watched files hold now; for {@link watch}. */
  async contents(): Promise<FileContents> {
    const found = new Map<string, Seen>()
    for (const file of this.seen.keys()) found.set(file, await contentOf(file))
    return found
  }

  /** Whether the files hold something else than what was read last. */
  async isNew(): Promise<boolean> {
    return !same(this.read, await this.contents())
  }

  close(): void {
    this.closed = true
    clearInterval(this.poll)
    if (this.timer !== null) clearTimeout(this.timer)
    for (const { watcher } of this.folders.values()) watcher?.close()
    this.folders.clear()
  }

  private wake(): void {
    if (this.closed) return
    this.timer ??= setTimeout(() => {
      this.timer = null
      void this.look()
    }, EVENT_WAIT_MS).unref()
  }

  /** Sizes and times only. */
  private async glance(): Promise<void> {
    if (this.looking) return
    const folders = [...this.folders].some(([path, { inode }]) => inodeOf(path) !== inode)
    for (const [file, { look }] of folders ? [] : this.seen) {
      if ((await lookAt(file)) === look) continue
      return this.look()
    }
    if (folders) await this.look()
  }

  private async look(): Promise<void> {
    if (this.looking) {
      this.lookAgain = true
      return
    }
    this.looking = true
    try {
      do {
        this.lookAgain = false
        const found = await this.rested()
        // Compared with what is known by now: while the files came to rest somebody may have read them.
        if (this.closed || same(this.seen, found)) continue
        this.seen = new Map(found)
        await this.options.changed()
      } while (this.lookAgain && !this.closed)
      if (!this.closed) await this.openFolders()
    } finally {
      this.looking = false
    }
  }

  private async rested(): Promise<FileContents> {
    let found = await this.contents()
    if (same(this.seen, found)) return found
    for (let looks = 0; looks < RESTLESS_LOOKS_MAX; looks += 1) {
      await new Promise(done => setTimeout(done, REST_MS))
      const next = await this.contents()
      if (same(found, next)) return next
      found = next
    }
    return found
  }

  /** The folder of each file, and that of the file behind its links. */
  private async openFolders(): Promise<void> {
    const wanted = new Set<string>()
    const names = new Set<string>()
    for (const file of this.seen.keys()) {
      const real = await realpath(file).catch(() => file)
      for (const path of [file, real]) {
        wanted.add(dirname(path))
        names.add(basename(path))
      }
    }
    if (this.closed) return
    this.names = names
    for (const [path, { watcher, inode }] of this.folders) {
      if (wanted.has(path) && inodeOf(path) === inode) continue
      watcher?.close()
      this.folders.delete(path)
    }
    for (const path of [...wanted].slice(0, FOLDERS_MAX)) {
      if (!this.folders.has(path)) this.folders.set(path, this.openFolder(path))
    }
  }

  private openFolder(path: string): Folder {
    const inode = inodeOf(path)
    try {
      const watcher = watch(path, { persistent: false }, (_event, name) => {
        // `..data` is the link that Kubernetes swaps.
        if (name === null || name.startsWith('..') || this.names.has(name)) this.wake()
      })
      watcher.on('error', () => watcher.close())
      return { watcher, inode }
    } catch {
      // No such folder, or no more watches to be had: the glances go on.
      return { watcher: null, inode }
    }
  }
}

function same(one: ReadonlyMap<string, Seen>, other: ReadonlyMap<string, Seen>): boolean {
  return [...other].every(([file, { content }]) => content !== '' && one.get(file)?.content === content)
}

async function firstLook(file: string, readAtMs: number): Promise<Seen> {
  const changedMs = await stat(file).then(
    ({ ctimeMs }) => ctimeMs,
    () => 0,
  )
  return changedMs >= readAtMs - CLOCK_LAG_MS ? UNKNOWN : contentOf(file)
}

async function contentOf(file: string): Promise<Seen> {
  const look = await lookAt(file)
  if (look.startsWith(ABSENT) || Number.parseInt(look, 10) > HASHED_BYTES_MAX) return { look, content: look }
  try {
    return {
      look,
      content: createHash('sha256')
        .update(await readFile(file))
        .digest('base64'),
    }
  } catch (error) {
    return { look, content: absent(error) }
  }
}

async function lookAt(file: string): Promise<string> {
  try {
    const { size, mtimeMs, ino } = await stat(file)
    return `${size} ${mtimeMs} ${ino}`
  } catch (error) {
    return absent(error)
  }
}

const ABSENT = 'absent '

function absent(error: unknown): string {
  return `${ABSENT}${(error as NodeJS.ErrnoException).code ?? ''}`
}

function inodeOf(folder: string): number {
  return statSync(folder, { throwIfNoEntry: false })?.ino ?? 0
}
