// The response object around the items: what the upstream said about the reply, and what the client asked for,
// repeated as clients of this dialect expect it. Never claims what did not happen: nothing is stored elsewhere.

import { JsonOut } from '../bytes/json-out.ts'
import type { ReplyContext } from '../reply-context.ts'
import { replyId } from '../reply-ids.ts'
import type { TurnHead } from '../turn.ts'
import { ECHO_MEMBERS } from './wire.ts'

/** What a request that does not say otherwise asks for. */
const DEFAULTS: ReadonlyMap<string, string> = new Map([
  ['instructions', 'null'],
  ['max_output_tokens', 'null'],
  ['metadata', '{}'],
  ['parallel_tool_calls', 'true'],
  ['previous_response_id', 'null'],
  ['reasoning', '{"effort":null,"summary":null}'],
  ['store', 'true'],
  ['temperature', '1'],
  ['text', '{"format":{"type":"text"}}'],
  ['tool_choice', '"auto"'],
  ['tools', '[]'],
  ['top_p', '1'],
  ['truncation', '"disabled"'],
])

export class Envelope {
  readonly id: string
  /** The object up to its status, and what follows the model; both are the same in every event of a stream. */
  private readonly before: string
  private readonly model: string
  private readonly after: string

  constructor(head: TurnHead, context: ReplyContext) {
    this.id = replyId('resp_', head.id, context)
    const before = new JsonOut().object().member('id', this.id).member('object', 'response')
    this.before = `${before.member('created_at', head.createdS).text},"status":`
    this.model = `,"model":${JSON.stringify(head.model)},"output":`
    this.after = echoOf(context)
    const tier =
      context.upstream === 'openai-chat' || context.upstream === 'openai-responses' ? head.tier : null
    if (tier !== null) this.after += `,"service_tier":${JSON.stringify(tier)}`
  }

  /** All values are JSON text. */
  json(status: string, error: string, details: string, output: string, usage: string): string {
    return `${this.before}"${status}","error":${error},"incomplete_details":${details}${this.model}${output},"usage":${usage}${this.after}}`
  }
}

/** The members that repeat the request, each with a comma before it. */
function echoOf(context: ReplyContext): string {
  const asked = new Map(context.echo.map(echo => [echo.name, echo.json]))
  // Replies of other vendors cannot be fetched again.
  if (context.upstream !== 'openai-responses') asked.set('store', 'false')
  let json = ''
  for (const name of ECHO_MEMBERS) {
    const value = asked.get(name) ?? DEFAULTS.get(name)
    if (value !== undefined) json += `,${JSON.stringify(name)}:${value}`
  }
  return json
}
