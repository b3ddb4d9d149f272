// Parts and the end of a candidate as this dialect prints them, whole and streamed.

import { JsonOut } from '../bytes/json-out.ts'
import { argumentsObject } from '../bytes/json-text.ts'
import { wrapOpaqueBase64 } from '../opaque.ts'
import type { MediaPart, Opaque } from '../prompt.ts'
import type { ReplyContext } from '../reply-context.ts'
import type { CallHead, Finish, TokenLogprob } from '../turn.ts'
import { finishWord } from './wire.ts'

export function signatureValue(opaque: Opaque): string {
  return wrapOpaqueBase64(opaque, 'gemini-generate')
}

export function textPartJson(text: string, thought: boolean, signature: Opaque | null): string {
  const out = new JsonOut().object().member('text', text)
  if (thought) out.member('thought', true)
  if (signature !== null) out.member('thoughtSignature', signatureValue(signature))
  return out.endObject().text
}

export function callPartJson(call: CallHead, input: string, signature: Opaque | null): string {
  const name = call.namespace === null ? call.name : `${call.namespace}__${call.name}`
  const out = new JsonOut().object().key('functionCall').object()
  out.member('id', call.id).member('name', name).memberRaw('args', argumentsObject(input)).endObject()
  if (signature !== null) out.member('thoughtSignature', signatureValue(signature))
  return out.endObject().text
}

/** Null for what cannot be shown. */
export function mediaPartJson(media: MediaPart): string | null {
  const { source } = media
  const out = new JsonOut().object()
  if (source.kind === 'base64') {
    out
      .key('inlineData')
      .object()
      .member('mimeType', media.mime ?? 'application/octet-stream')
    out.member('data', source.data).endObject()
  } else if (source.kind === 'url') {
    out.key('fileData').object().memberIf('mimeType', media.mime).member('fileUri', source.url).endObject()
  } else return null
  return out.extras(media.extra.filter(extra => extra.name === 'thoughtSignature')).endObject().text
}

export function logprobsJson(tokens: readonly TokenLogprob[]): string {
  const out = new JsonOut().object().key('chosenCandidates').array()
  for (const token of tokens) writeToken(out, token)
  out.endArray()
  if (tokens.some(token => token.top.length > 0)) {
    out.key('topCandidates').array()
    for (const token of tokens) {
      out.object().key('candidates').array()
      for (const top of token.top) writeToken(out, top)
      out.endArray().endObject()
    }
    out.endArray()
  }
  return out.endObject().text
}

function writeToken(out: JsonOut, token: { readonly token: string; readonly logprob: number }): void {
  out.object().member('token', token.token).member('logProbability', token.logprob).endObject()
}

/** Extras of a reply of this dialect, by their names; a later value replaces an earlier one. */
export type Extras = ReadonlyMap<string, string>

/** The members of a candidate behind its content. */
export function writeEnd(
  out: JsonOut,
  index: number,
  finish: Finish,
  extras: Extras,
  context: ReplyContext,
): void {
  const own = context.upstream === 'gemini-generate'
  out.member('finishReason', own && finish.word !== null ? finish.word : finishWord(finish))
  const prefix = `candidates/${index}/`
  const names = [...extras.keys()].filter(name => name.startsWith(prefix))
  const explanation = finish.detail?.explanation ?? null
  if (!names.includes(`${prefix}finishMessage`)) out.memberIf('finishMessage', explanation)
  out.member('index', index)
  for (const name of names) out.memberRaw(name.slice(prefix.length), extras.get(name)!)
}

/** The members of a reply behind its candidates, without braces. */
export function replyTail(model: string, id: string): string {
  const out = new JsonOut().object().member('modelVersion', model).member('responseId', id)
  return out.text.slice(1)
}
