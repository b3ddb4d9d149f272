// Ports belong to one process. Threads of a process share a port through SO_REUSEPORT, and the same option lets a
// second process bind it without a word, so the operating system no longer says that a port is taken. This file
// says it: a bind without the option fails as long as anybody listens, and a lock held for life closes the gap
// between that test and the shards' own binds.

import { createServer, type ListenOptions, type Server } from 'node:net'

export interface PortAddress {
  readonly address: string
  readonly port: number
}

export class PortTaken extends Error {
  override readonly name = 'PortTaken'
}

/** The ports this process may listen on. */
export class PortClaims {
  private readonly locks: Map<string, Server | null> = new Map()

  /** Claims what is not ours yet; all or nothing. Throws {@link PortTaken}. Port 0 is nobody's. */
  async claim(wanted: readonly PortAddress[]): Promise<void> {
    const added: string[] = []
    try {
      for (const place of wanted) {
        const key = placeOf(place)
        if (place.port === 0 || this.locks.has(key)) continue
        this.locks.set(key, await claimPort(place))
        added.push(key)
      }
    } catch (error) {
      for (const key of added) this.drop(key)
      throw error
    }
  }

  /** Gives up every claim that is not in `kept`. */
  keepOnly(kept: readonly PortAddress[]): void {
    const keys = new Set(kept.map(placeOf))
    for (const key of [...this.locks.keys()]) if (!keys.has(key)) this.drop(key)
  }

  private drop(key: string): void {
    this.locks.get(key)?.close()
    this.locks.delete(key)
  }
}

function placeOf({ address, port }: PortAddress): string {
  return `${address}:${port}`
}

async function claimPort(place: PortAddress): Promise<Server | null> {
  const lock = await lockPort(place)
  try {
    const probe = await listen({ host: place.address, port: place.port, exclusive: true })
    await new Promise(done => probe.close(done))
    return lock
  } catch (error) {
    lock?.close()
    throw portError(place, error as NodeJS.ErrnoException)
  }
}

/**
 * A name in the abstract socket namespace: it belongs to the network namespace as ports do, needs no file, and goes
 * with its process. Linux has it; elsewhere, and for a runtime that cannot, the probe alone must do.
 */
async function lockPort(place: PortAddress): Promise<Server | null> {
  if (process.platform !== 'linux') return null
  try {
    const lock = await listen({ path: `\0sluice-port-${placeOf(place)}` })
    return lock.unref()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') return null
    throw new PortTaken(
      `port ${place.port} on ${place.address} is taken: another Sluice listens there, or is starting to`,
    )
  }
}

function listen(options: ListenOptions): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(socket => socket.destroy())
    server.once('error', reject)
    server.listen(options, () => resolve(server))
  })
}

function portError({ address, port }: PortAddress, error: NodeJS.ErrnoException): PortTaken {
  switch (error.code) {
    case 'EADDRINUSE':
      return new PortTaken(`port ${port} on ${address} is taken by another process`)
    case 'EACCES':
      return new PortTaken(`port ${port} on ${address} may not be used: ports below 1024 need a privilege`)
    case 'EADDRNOTAVAIL':
      return new PortTaken(`cannot listen on ${address} port ${port}: this machine has no such address`)
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new PortTaken(`cannot listen on ${address} port ${port}: the address is no known name`)
    default:
      return new PortTaken(`cannot listen on ${address} port ${port}: ${error.code ?? error.message}`)
  }
}
