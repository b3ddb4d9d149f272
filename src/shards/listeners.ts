// The acceptors of one shard: one per listener of the plan. Owns opening what a new plan adds before it is used, and
// letting go of what it removed without cutting anybody.

import type { ListenerPlan, Plan, TlsPlan } from '../common/config/index.ts'
import type { ListenerFacts } from './messages.ts'

/** What a shard needs of an acceptor, in its own words. */
export interface ShardAcceptor {
  readonly port: number
  readonly connections: number
  listen(): Promise<void>
  stopAccepting(): void
  close(): void
  /**
   * Reads another certificate and returns the step that puts it to use, for new connections. Null where the acceptor
   * must be opened anew for that.
   */
  readonly renewTls: ((tls: TlsPlan) => () => void) | null
}

/** Makes the acceptor of a listener; does not listen yet. */
export type OpenListener = (listener: ListenerPlan, plan: Plan) => Promise<ShardAcceptor>

interface Held {
  readonly key: string
  /** The same without the certificate. */
  readonly plainKey: string
  readonly listener: ListenerPlan
  readonly acceptor: ShardAcceptor
}

interface Prepared {
  readonly plan: Plan
  readonly added: readonly Held[]
  /** Listeners that stay and get another certificate, with the step that does it. */
  readonly renewed: readonly { readonly held: Held; readonly put: () => void }[]
}

/** How often a removed listener is looked at, whether its last connection has gone. */
const RETIRED_EVERY_MS = 1_000

/**
 * The native server counts requests, not connections: one that is still shaking hands or waits for its next request is
 * in no number, and closing would cut it. It ends such connections itself within some 12 s of silence, and each that
 * does ask is told to close after the reply; so after so many looks in a row without a request, nobody is left.
 */
const RETIRED_QUIET_LOOKS = 15

interface Retired {
  readonly acceptor: ShardAcceptor
  quietLooks: number
}

export class ListenerSet {
  private readonly open: OpenListener
  private readonly exclusive: boolean
  private held: Held[] = []
  private prepared: Prepared | null = null
  private retired: Retired[] = []
  private timer: NodeJS.Timeout | null = null
  private closed = false

  constructor(open: OpenListener, exclusive: boolean) {
    this.open = open
    this.exclusive = exclusive
  }

  /** Opens what `plan` adds. On failure nothing has changed. */
  async prepare(plan: Plan): Promise<void> {
    this.discard()
    const known = new Set(this.held.map(held => held.key))
    const wanted = plan.listeners.map(listener => ({ listener, key: listenerKey(listener, plan) }))
    const added: Held[] = []
    const renewed: { held: Held; put: () => void }[] = []
    try {
      for (const { listener, key } of wanted.filter(({ key }) => !known.has(key))) {
        const kept = this.keptButTls(listener, plan)
        if (kept !== null) {
          const { acceptor } = kept
          renewed.push({ held: { ...kept, key, listener }, put: acceptor.renewTls!(listener.tls!) })
          continue
        }
        this.refuseRebind(listener)
        const acceptor = await this.open(listener, plan)
        added.push({ key, plainKey: listenerKey({ ...listener, tls: null }, plan), listener, acceptor })
        await acceptor.listen()
        if (this.closed) throw new Error('the shard is ending')
      }
    } catch (error) {
      this.forget(added)
      throw error
    }
    this.prepared = { plan, added, renewed }
  }

  /** The prepared plan's listeners are the ones from now on; the others take no new connections. */
  commit(): void {
    if (this.prepared === null) return
    const { plan, added, renewed } = this.prepared
    this.prepared = null
    for (const { held, put } of renewed) {
      put()
      this.held = this.held.map(one => (one.acceptor === held.acceptor ? held : one))
    }
    const wanted = new Set(plan.listeners.map(listener => listenerKey(listener, plan)))
    const gone = this.held.filter(held => !wanted.has(held.key))
    this.held = [...this.held.filter(held => wanted.has(held.key)), ...added]
    for (const { acceptor, listener } of gone) {
      const replaced = listener.port !== 0 && this.held.some(held => held.listener.port === listener.port)
      if (replaced) afterNextPoll(() => acceptor.stopAccepting())
      else acceptor.stopAccepting()
      this.retire(acceptor)
    }
  }

  discard(): void {
    this.forget(this.prepared?.added ?? [])
    this.prepared = null
  }

  facts(): ListenerFacts[] {
    return this.held.map(({ listener, acceptor }) => ({
      name: listener.name,
      address: listener.address,
      port: acceptor.port,
    }))
  }

  /** Connections by listener name, removed listeners among `retired`. */
  connections(): Map<string, number> {
    const counts = new Map(this.held.map(({ listener, acceptor }) => [listener.name, acceptor.connections]))
    const old = this.retired.reduce((total, { acceptor }) => total + acceptor.connections, 0)
    if (old > 0) counts.set('retired', old)
    return counts
  }

  get connectionCount(): number {
    return this.all().reduce((total, acceptor) => total + acceptor.connections, 0)
  }

  stopAccepting(): void {
    this.discard()
    for (const acceptor of this.all()) acceptor.stopAccepting()
  }

  /** Cuts everything. Must have happened before the thread ends: a native server still open aborts the process. */
  close(): void {
    this.closed = true
    this.discard()
    const all = this.all()
    this.held = []
    this.retired = []
    if (this.timer !== null) clearInterval(this.timer)
    this.timer = null
    for (const acceptor of all) acceptor.close()
  }

  /** One that shares the port of a listener in use has had a part of its clients since it listened. */
  private forget(added: readonly Held[]): void {
    for (const { acceptor, listener } of added) {
      const shared = this.held.some(held => held.listener.port === listener.port)
      if (listener.port === 0 || !shared || acceptor.port === 0) acceptor.close()
      else {
        afterNextPoll(() => acceptor.stopAccepting())
        this.retire(acceptor)
      }
    }
  }

  private retire(acceptor: ShardAcceptor): void {
    this.retired.push({ acceptor, quietLooks: 0 })
    this.timer ??= setInterval(this.closeRetired, RETIRED_EVERY_MS).unref()
  }

  private all(): ShardAcceptor[] {
    return [...this.held.map(held => held.acceptor), ...this.retired.map(retired => retired.acceptor)]
  }

  /** The listener that differs in its certificate alone and can change it while it listens. */
  private keptButTls(listener: ListenerPlan, plan: Plan): Held | null {
    if (listener.tls === null) return null
    const key = listenerKey({ ...listener, tls: null }, plan)
    const found = this.held.find(
      held =>
        held.acceptor.renewTls !== null &&
        held.listener.tls !== null &&
        held.listener.port === listener.port &&
        held.plainKey === key,
    )
    return found ?? null
  }

  /** Where a port cannot be shared, its new acceptor would have to wait until the old one's last client has left. */
  private refuseRebind(listener: ListenerPlan): void {
    if (!this.exclusive || listener.port === 0) return
    const same = this.held.some(held => held.listener.port === listener.port)
    if (!same) return
    throw new Error(
      `listener ${listener.name} keeps port ${listener.port} and changes otherwise; the node acceptor can do that only when the process starts`,
    )
  }

  private readonly closeRetired = (): void => {
    this.retired = this.retired.filter(retired => {
      retired.quietLooks = retired.acceptor.connections > 0 ? 0 : retired.quietLooks + 1
      if (retired.quietLooks < RETIRED_QUIET_LOOKS) return true
      retired.acceptor.close()
      return false
    })
    if (this.retired.length > 0 || this.timer === null) return
    clearInterval(this.timer)
    this.timer = null
  }
}

/**
 * Connections that wait to be accepted are reset with their socket. Right after the loop has asked the kernel for events
 * there are fewest of them.
 */
function afterNextPoll(step: () => void): void {
  setImmediate(() => setImmediate(step))
}

/** Everything an acceptor is made from: when it changes, the listener is opened anew. */
function listenerKey(listener: ListenerPlan, plan: Plan): string {
  const { name, address, port, tls } = listener
  const { headerBytesMax, headersWaitMsMax, bodyWaitMsMax, idleMsMax, replyPendingBytesMax } = plan.server
  return JSON.stringify([
    name,
    address,
    port,
    tls,
    headerBytesMax,
    headersWaitMsMax,
    bodyWaitMsMax,
    idleMsMax,
    replyPendingBytesMax,
  ])
}
