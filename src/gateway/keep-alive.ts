// Signs of life for clients whose stream of events has been silent for long: proxies and clients on the way give up
// connections on which nothing moves. Owns what is written and when; where it may stand the reply path knows.
//
// Only between two events, only after the head has left (before it nothing is decided, and another try may follow),
// and only while the client takes what it is given. It is no content: no time-out towards the upstream and no count of
// bytes or tokens knows of it.

import type { Clock } from '../common/clock.ts'
import type { Roll } from '../common/roll.ts'
import type { DialectId } from '../translate/index.ts'
import type { Exchange } from './exchange.ts'
import type { PlanView } from './plan-view.ts'

/** Load balancers close connections after 30 to 60 s of silence. */
export const KEEP_ALIVE_MS = 15_000

/** Looks at running exchanges are this far apart at most, and a sign of life this late at most twice. */
const LOOK_MS_MAX = 1_000
/** A shorter interval is somebody's mistake, or a test. */
const LOOK_MS_MIN = 20

const encoder = new TextEncoder()
const COMMENT = encoder.encode(': keep-alive\n\n')

/**
 * Null: never. Converse's frames are binary. Earlier versions of the official Gemini clients wait for `data:` at the
 * start of what they have not read yet, and behind a comment for ever; others read every line as JSON.
 */
const SIGNS: Readonly<Record<DialectId, Uint8Array | null>> = {
  'openai-chat': COMMENT,
  'openai-responses': COMMENT,
  // Part of the dialect: clients are told to expect it anywhere.
  'anthropic-messages': encoder.encode('event: ping\ndata: {"type":"ping"}\n\n'),
  'bedrock-converse': null,
  'gemini-generate': null,
}

export function signOfLife(client: DialectId): Uint8Array | null {
  return SIGNS[client]
}

/** One timer per shard, which runs only while exchanges do. */
export class KeepAlive {
  private readonly clock: Clock
  private readonly running: Roll<Exchange>
  private lookMs = 0
  private timer: NodeJS.Timeout | null = null

  constructor(clock: Clock, running: Roll<Exchange>) {
    this.clock = clock
    this.running = running
  }

  /** The intervals of another plan count from now on. */
  use(view: PlanView): void {
    const shortestMs = view.keepAliveMsMin
    const lookMs = shortestMs === null ? 0 : Math.min(LOOK_MS_MAX, Math.max(LOOK_MS_MIN, shortestMs / 4))
    if (lookMs === this.lookMs) return
    this.stop()
    this.lookMs = lookMs
    if (this.running.size > 0) this.start()
  }

  /** Cheap when it runs already. */
  start(): void {
    if (this.timer !== null || this.lookMs === 0) return
    this.timer = setInterval(() => this.look(), this.lookMs)
    this.timer.unref()
  }

  private look(): void {
    const nowMs = this.clock.monotonicMs()
    this.running.each(exchange => exchange.look(nowMs))
    if (this.running.size === 0) this.stop()
  }

  private stop(): void {
    if (this.timer !== null) clearInterval(this.timer)
    this.timer = null
  }
}
