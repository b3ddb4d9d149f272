// Small HTTP calls of commands to a gateway on this machine: bounded in time and size, never retried.

import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** Milliseconds to the first byte of the body, and to the end. */
  readonly firstByteMs: number
  readonly totalMs: number
}

export interface CallOptions {
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly waitMsMax: number
}

/** More is not an answer to a small question. */
const REPLY_BYTES_MAX = 4 * 1024 * 1024

export function call(url: string, options: CallOptions): Promise<Reply> {
  const begun = performance.now()
  const since = (): number => performance.now() - begun
  const send = url.startsWith('https:') ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const headers = { ...(options.body === undefined ? {} : JSON_BODY), ...options.headers }
    // The certificate of a listener names its public host; here it is called by its address.
    const request = send(
      url,
      { method: options.method ?? 'GET', headers, agent: false, rejectUnauthorized: false },
      response => {
        const chunks: Buffer[] = []
        let bytes = 0
        let firstByteMs = 0
        response.on('data', (chunk: Buffer) => {
          if (chunks.length === 0) firstByteMs = since()
          bytes += chunk.length
          if (bytes > REPLY_BYTES_MAX) request.destroy(new Error('the reply is too large'))
          else chunks.push(chunk)
        })
        response.on('error', fail)
        response.on('end', () => {
          clearTimeout(timer)
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString('utf8'),
            firstByteMs,
            totalMs: since(),
          })
        })
      },
    )
    const timer = setTimeout(
      () => request.destroy(new Error(`no reply within ${options.waitMsMax} ms`)),
      options.waitMsMax,
    )
    function fail(error: Error): void {
      clearTimeout(timer)
      reject(error)
    }
    request.on('error', fail)
    request.end(options.body)
  })
}

const JSON_BODY = { 'content-type': 'application/json' }

/** An address one can call: a socket on every address is called on the loopback. */
export function callable(address: string): string {
  if (address === '0.0.0.0' || address === '') return '127.0.0.1'
  if (address === '::') return '[::1]'
  return address.includes(':') ? `[${address}]` : address
}

export function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
