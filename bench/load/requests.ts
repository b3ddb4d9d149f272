// Request bytes, built once per job: the generator only writes them.

import { type Command, commandText, words } from './replies.ts'

export interface RequestFacts {
  readonly path: string
  readonly port: number
  /** What a peer wants besides the usual fields. */
  readonly headers: Readonly<Record<string, string>>
  /** The model's name as this peer knows it. */
  readonly model: string
}

/** Size of a request body in most scenarios; the command and the envelope are part of it. */
export const SMALL_BYTES = 1024

export function requestBody(facts: RequestFacts, command: Command, bytes: number): string {
  const streamed = command.kind !== 'chat'
  const body = (filling: string): string =>
    JSON.stringify({
      model: facts.model,
      user: commandText(command),
      ...(streamed ? { stream: true, stream_options: { include_usage: true } } : {}),
      temperature: 0.7,
      messages: [
        { role: 'system', content: 'You tell the keeper of the gate what the water does.' },
        { role: 'user', content: filling },
      ],
    })
  return body(words(Math.max(0, bytes - body('').length)))
}

export function requestHeaders(facts: RequestFacts): Record<string, string> {
  return { 'content-type': 'application/json', authorization: 'Bearer sk-bench', ...facts.headers }
}

export function requestBytes(facts: RequestFacts, command: Command, bytes: number): Buffer {
  return requestWith(facts, requestBody(facts, command, bytes))
}

export function requestWith(facts: RequestFacts, body: string): Buffer {
  const lines = [
    `POST ${facts.path} HTTP/1.1`,
    `host: 127.0.0.1:${facts.port}`,
    ...Object.entries(requestHeaders(facts)).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(body)}`,
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`)
}
