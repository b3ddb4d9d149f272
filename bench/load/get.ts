// A plain GET on loopback, for counters and metrics.

import { request } from 'node:http'

const WAIT_MS_MAX = 5_000

export function get(port: number, path: string): Promise<string> {
  return new Promise((done, failed) => {
    const call = request({ host: '127.0.0.1', port, path, agent: false, timeout: WAIT_MS_MAX }, reply => {
      const pieces: Buffer[] = []
      reply.on('data', (piece: Buffer) => pieces.push(piece))
      reply.on('error', failed)
      reply.on('end', () => done(Buffer.concat(pieces).toString()))
    })
    call.on('timeout', () => call.destroy(new Error(`no answer from :${port}${path} in ${WAIT_MS_MAX} ms`)))
    call.on('error', failed)
    call.end()
  })
}
