// Who holds a port. On Linux the kernel's own tables say it: the socket's inode in /proc/net/tcp, and the process that
// has it open. Elsewhere, and for processes of others, only that it is taken. Never shows arguments of a process: they
// may hold keys.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer } from 'node:net'

export interface PortHolder {
  readonly pid: number
  /** Name of the program. */
  readonly name: string
}

export type PortState = 'free' | 'taken' | 'forbidden' | 'no-address'

/** Found out by listening for a moment. */
export function portState(address: string, port: number): Promise<PortState> {
  if (port === 0) return Promise.resolve('free')
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve('taken')
      else if (error.code === 'EACCES') resolve('forbidden')
      else resolve('no-address')
    })
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve('free')))
  })
}

const TABLES = ['/proc/net/tcp', '/proc/net/tcp6'] as const
/** The kernel's word for a listening socket. */
const LISTENING = '0A'
/** Columns of the kernel's table. */
const LOCAL_AT = 1
const STATE_AT = 3
const INODE_AT = 9

/** Null where it cannot be found out. */
export function portHolder(port: number): PortHolder | null {
  const inodes = new Set<string>()
  for (const table of TABLES) {
    for (const line of textOf(table).split('\n').slice(1)) {
      const columns = line.trim().split(/\s+/)
      const local = columns[LOCAL_AT]?.split(':')[1]
      if (columns[STATE_AT] !== LISTENING || local === undefined) continue
      if (Number.parseInt(local, 16) === port) inodes.add(`socket:[${columns[INODE_AT]}]`)
    }
  }
  return inodes.size === 0 ? null : processWith(inodes)
}

function processWith(sockets: ReadonlySet<string>): PortHolder | null {
  for (const name of namesIn('/proc')) {
    if (!/^\d+$/.test(name)) continue
    for (const descriptor of namesIn(`/proc/${name}/fd`)) {
      let target: string
      try {
        target = readlinkSync(`/proc/${name}/fd/${descriptor}`)
      } catch {
        continue
      }
      if (sockets.has(target)) return { pid: Number(name), name: textOf(`/proc/${name}/comm`).trim() }
    }
  }
  return null
}

/** Processes end while one looks, and some may not be looked at. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
