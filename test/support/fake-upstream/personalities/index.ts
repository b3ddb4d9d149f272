// Strict personalities: a fake upstream that takes only what the vendor takes. Owns the checks and the refusal, which
// names everything that is wrong; what is accepted is answered by the fake's dialects.

import { FAKE_DIALECTS } from '../dialects/index.ts'
import { turnFor } from '../turn.ts'
import { SOUND } from '../behaviour.ts'
import type { FakePrompt, Json, RecordedRequest, ScriptedReply, Step } from '../types.ts'
import { type CredentialStyle, type Endpoint, HOSTS } from './hosts.ts'
import { type AwsExpectation, signatureFault } from './sigv4.ts'

export { HOSTS } from './hosts.ts'
export { type AwsExpectation, signatureFault } from './sigv4.ts'

export interface Expectations {
  /** The key or token that must be shown. */
  readonly key: string | null
  readonly aws?: AwsExpectation
  /** Texts that belong to the caller and must not arrive, wherever. */
  readonly secrets: readonly string[]
}

/** Fields that a gateway may send. Whatever else arrives came from the client and should have stayed there. */
const FIELDS: ReadonlySet<string> = new Set([
  'host',
  'accept',
  'accept-encoding',
  'accept-language',
  'connection',
  'content-length',
  'content-type',
  'user-agent',
  'x-request-id',
  'x-client-request-id',
  'traceparent',
  'tracestate',
  'anthropic-version',
  'anthropic-beta',
  'openai-beta',
  'idempotency-key',
  'originator',
  'session_id',
  'chatgpt-account-id',
  'x-amz-date',
  'x-amz-content-sha256',
  'x-amz-security-token',
])
const CREDENTIALS = ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key']

/** Fields that belong to one dialect and are foreign to the others. */
const OF_MESSAGES = ['anthropic-version', 'anthropic-beta']

export function strict(host: string, expected: Expectations): Step {
  const endpoints = HOSTS[host]
  if (endpoints === undefined) throw new Error(`no personality for ${host}`)
  return request => {
    const endpoint = endpoints.find(one => one.path.test(request.path))
    if (request.method !== 'POST' || endpoint === undefined) {
      return refusal(endpoints[0]!, 404, [`no endpoint at ${request.method} ${request.path}`])
    }
    const shown = credentialFaults(request, endpoint.credential, expected)
    if (shown.length > 0) return refusal(endpoint, 401, shown)
    const fields = fieldFaults(request, endpoint, expected)
    if (fields.length > 0) return refusal(endpoint, 400, fields)
    const faults = endpoint.faults(request.json(), request)
    if (faults.length > 0) return refusal(endpoint, endpoint.status, faults)
    return host === 'vertex_claude' ? claudeReply(request) : null
  }
}

function credentialFaults(
  request: RecordedRequest,
  style: CredentialStyle,
  expected: Expectations,
): string[] {
  const shown = CREDENTIALS.filter(name => request.header(name) !== null)
  if (style === 'none') return shown.map(name => `${name} is shown to a host without keys`)
  if (style === 'sigv4') {
    const fault = signatureFault(request, expected.aws!, Date.now())
    return [...(fault === null ? [] : [fault]), ...shown.filter(name => name !== 'authorization')]
  }
  const name = style === 'bearer' ? 'authorization' : style
  const value = style === 'bearer' ? `Bearer ${expected.key}` : expected.key
  const others = shown.filter(other => other !== name).map(other => `${other} is foreign here`)
  return request.header(name) === value ? others : [`${name} is not the key`, ...others]
}

function fieldFaults(request: RecordedRequest, endpoint: Endpoint, expected: Expectations): string[] {
  const faults: string[] = []
  const seen = new Set<string>()
  for (let at = 0; at < request.headers.length; at += 2) {
    const name = request.headers[at]!
    if (!FIELDS.has(name) && !CREDENTIALS.includes(name)) faults.push(`foreign field ${name}`)
    if (endpoint.dialect !== 'anthropic-messages' && OF_MESSAGES.includes(name))
      faults.push(`foreign field ${name}`)
    if (seen.has(name)) faults.push(`field ${name} stands twice`)
    seen.add(name)
  }
  if (!/^application\/json/.test(request.header('content-type') ?? ''))
    faults.push('content-type is not JSON')
  const everything = `${request.path}\n${request.headers.join('\n')}\n${request.text()}`
  if (expected.secrets.some(secret => everything.includes(secret)))
    faults.push('a secret of the caller arrived')
  return faults
}

function refusal(endpoint: Endpoint, status: number, faults: readonly string[]): ScriptedReply {
  const body = JSON.stringify(FAKE_DIALECTS[endpoint.dialect].errorReply(status, faults.join('; ')))
  return { status, headers: ['content-type', 'application/json'], body }
}

/** Claude on Vertex speaks Messages, at a path that no dialect of the fake answers to, and names no model. */
function claudeReply(request: RecordedRequest): ScriptedReply {
  const dialect = FAKE_DIALECTS['anthropic-messages']
  const body: Json = { ...request.json(), model: /models\/([^:]+):/.exec(request.path)![1] }
  const prompt: FakePrompt = dialect.readPrompt(request.path, body)
  const turn = turnFor(prompt, SOUND)
  if (!prompt.stream) {
    return { headers: ['content-type', 'application/json'], body: JSON.stringify(dialect.wholeReply(turn)) }
  }
  const { before, content, after } = dialect.streamFrames(turn, prompt)
  return { headers: ['content-type', dialect.streamType], frames: [...before, ...content, ...after] }
}
