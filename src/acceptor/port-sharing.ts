// Which acceptors can share a port between the threads of one process.

import type { AcceptorKind } from './acceptor.ts'

/** Node's listen got `reusePort` in 22.12 and 23.1. */
const REUSE_PORT_SINCE: readonly (readonly [major: number, minor: number])[] = [
  [22, 12],
  [23, 1],
]

/** False: a second thread that listens on the same port fails, so there can be one shard only. */
export function portSharing(kind: AcceptorKind, version: string = process.versions.node): boolean {
  if (process.platform !== 'linux') return false
  if (kind === 'uws') return true
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const since = REUSE_PORT_SINCE.find(([since]) => since === major)
  if (since !== undefined) return minor >= since[1]
  return major > 23
}
