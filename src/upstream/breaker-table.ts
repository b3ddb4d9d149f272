// Where breakers live: one SharedArrayBuffer for all shards of a process. Owns which cell belongs to whom.
//
// Two regions. Ways of the configuration (entry, key, host) are few and keep their cells: a cell is claimed by the
// hash of its name. Models of a wildcard are named by callers and may be as many as those like: they share cells in
// sets of eight, get one with their first failure, and lose it when it says nothing any more. Where a set is full of
// failing models, the next one is judged with its way.

import type { Clock } from '../common/clock.ts'
import { BreakerCell, type BreakerFacts, CELL_WORDS, STATE_WORDS, TAG } from './breaker.ts'

/** Cells per process; entries × keys × hosts of a plan. What comes after shares nothing and never opens. */
const CELLS = 4_096
/** Models of wildcards that fail or rest at the same time, per process. */
const MODEL_CELLS = 1_024
/** Cells a model may have; more would make every look longer. */
const SET_CELLS = 8
const SETS = MODEL_CELLS / SET_CELLS
/** A model's cell, and its name. */
const MODEL_WORDS = 2 * CELL_WORDS
/** Whose model it is: the tag of its way. */
const OWNER = STATE_WORDS
const NAME_LENGTH = CELL_WORDS
const NAME_BYTES_FROM = 4 * (CELL_WORDS + 1)
/** The rest of a longer name is not shown. */
const NAME_BYTES_MAX = 4 * (CELL_WORDS - 1)

/** The first cell's place; the words before it belong to the table. */
const HEAD_WORDS = 2
/** Hashes start from here, so that nobody can choose a name that meets another's cell. */
const SEED = 0

const MODELS_FROM = HEAD_WORDS + CELLS * CELL_WORDS
const WORDS = MODELS_FROM + MODEL_CELLS * MODEL_WORDS

/**
 * The name of a way: a provider entry, the place of one of its keys in the file, counted from 0, and which of its
 * hosts, where it has several.
 */
export function breakerKey(entry: string, key: number, host: string | null = null): string {
  return host === null ? `${entry}\n${key}` : `${entry}\n${key}\n${host}`
}

/** Room for the cells of one process; made once, handed to every shard. */
export function newBreakerMemory(): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(4 * WORDS)
  const [seed] = crypto.getRandomValues(new Int32Array(1))
  new Int32Array(memory)[SEED] = seed!
  return memory
}

/** A model of a wildcard that is not called just now. */
export interface ModelTrouble extends BreakerFacts {
  /** Name of its way. */
  readonly way: string
  /** As the caller wrote it, cut, and without what is not printable. */
  readonly model: string
}

export class BreakerTable {
  private readonly words: Int32Array
  private readonly bytes: Uint8Array
  private readonly clock: Clock
  private readonly cells: Map<string, BreakerCell> = new Map()
  /** Made when first asked for. */
  private readonly modelCells: (BreakerCell | undefined)[] = []

  constructor(memory: SharedArrayBuffer, clock: Clock) {
    this.words = new Int32Array(memory)
    this.bytes = new Uint8Array(memory)
    this.clock = clock
  }

  /** The cell of a way; the same in every thread that shares the memory. */
  cell(key: string): BreakerCell {
    let cell = this.cells.get(key)
    if (cell === undefined) {
      cell = new BreakerCell(this.words, this.claim(this.tagOf(key)), this.clock)
      this.cells.set(key, cell)
    }
    return cell
  }

  /** Every cell this thread has asked for. */
  known(): ReadonlyMap<string, BreakerCell> {
    return this.cells
  }

  /** Forgets keys that a new plan no longer has; the shared memory keeps their state in case they return. */
  keepOnly(keys: ReadonlySet<string>): void {
    for (const key of this.cells.keys()) if (!keys.has(key)) this.cells.delete(key)
  }

  /** How a model of a wildcard is found again; `way` is a `breakerKey`. */
  modelTag(way: string, model: string): number {
    return this.tagOf(`${way}\n\n${model}`)
  }

  /** The cell of a model that has failed or rests, or null. */
  modelCell(tag: number): BreakerCell | null {
    const first = firstOf(tag)
    for (let at = first; at < first + SET_CELLS; at += 1) {
      if (Atomics.load(this.words, wordOf(at) + TAG) === tag) return this.modelCellAt(at)
    }
    return null
  }

  /** The cell of a model from now on; null where no cell is to be had, and the model is judged with its way. */
  claimModel(tag: number, way: string, model: string): BreakerCell | null {
    const found = this.modelCell(tag)
    if (found !== null) return found
    const first = firstOf(tag)
    for (let at = first; at < first + SET_CELLS; at += 1) {
      const word = wordOf(at)
      const owner = Atomics.load(this.words, word + TAG)
      const cell = this.modelCellAt(at)
      if (owner !== 0 && !cell.idle) continue
      const before = Atomics.compareExchange(this.words, word + TAG, owner, tag)
      if (before === tag) return cell
      if (before !== owner) continue
      cell.clear()
      this.nameModel(word, way, model)
      return cell
    }
    return null
  }

  /** Models of these ways that are not called just now. */
  modelTroubles(ways: Iterable<string>): readonly ModelTrouble[] {
    const byTag = new Map<number, string>()
    for (const way of ways) byTag.set(this.tagOf(way), way)
    const found: ModelTrouble[] = []
    for (let at = 0; at < MODEL_CELLS; at += 1) {
      const word = wordOf(at)
      if (Atomics.load(this.words, word + TAG) === 0) continue
      const way = byTag.get(Atomics.load(this.words, word + OWNER))
      const facts = this.modelCellAt(at).facts()
      if (way === undefined || (facts.state === 'closed' && facts.restMs === 0)) continue
      found.push({ way, model: this.modelName(word), ...facts })
    }
    return found
  }

  private nameModel(word: number, way: string, model: string): void {
    const name = Buffer.from(model, 'utf8').subarray(0, NAME_BYTES_MAX)
    this.bytes.set(name, 4 * word + NAME_BYTES_FROM)
    Atomics.store(this.words, word + NAME_LENGTH, name.length)
    Atomics.store(this.words, word + OWNER, this.tagOf(way))
  }

  private modelName(word: number): string {
    const from = 4 * word + NAME_BYTES_FROM
    const length = Math.min(NAME_BYTES_MAX, Atomics.load(this.words, word + NAME_LENGTH))
    const name = Buffer.from(this.bytes.slice(from, from + length)).toString('utf8')
    return name.replace(/[^\x20-\x7e]/g, '?')
  }

  private modelCellAt(at: number): BreakerCell {
    return (this.modelCells[at] ??= new BreakerCell(this.words, wordOf(at), this.clock))
  }

  private claim(tag: number): number {
    const first = (tag >>> 0) % CELLS
    for (let step = 0; step < CELLS; step += 1) {
      const at = HEAD_WORDS + ((first + step) % CELLS) * CELL_WORDS
      const found = Atomics.compareExchange(this.words, at + TAG, 0, tag)
      if (found === 0 || found === tag) return at
    }
    return -1
  }

  /** FNV-1a over UTF-16 units; never 0, which marks a free cell. */
  private tagOf(key: string): number {
    let hash = this.words[SEED]! ^ 0x811c9dc5
    for (let at = 0; at < key.length; at += 1) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193)
    return hash === 0 ? 1 : hash
  }
}

function firstOf(tag: number): number {
  return ((tag >>> 0) % SETS) * SET_CELLS
}

function wordOf(cell: number): number {
  return MODELS_FROM + cell * MODEL_WORDS
}
