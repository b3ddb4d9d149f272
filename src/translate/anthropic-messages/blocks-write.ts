// Turns as Messages blocks. Owns what each part becomes and which cache marks are sent.

import type { JsonOut } from '../bytes/json-out.ts'
import { argumentsObject } from '../bytes/json-text.ts'
import { textOfBase64 } from '../media.ts'
import {
  type CallPart,
  type MediaPart,
  type Part,
  type PromptTurn,
  type ReasoningPart,
  type ResultPart,
  textPart,
} from '../prompt.ts'
import type { PromptWriting } from '../prompt-writing.ts'
import { cacheControl } from './wire.ts'

const IMAGE_TYPES: ReadonlySet<string> = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp'])

export class BlockWriter {
  private readonly writing: PromptWriting
  /** The prompt came in this dialect: vendor blocks and unknown members go out again. */
  private readonly own: boolean
  private readonly thinks: boolean

  constructor(writing: PromptWriting, own: boolean, thinks: boolean) {
    this.writing = writing
    this.own = own
    this.thinks = thinks
  }

  writeSystem(out: JsonOut, instructions: readonly PromptTurn[], instruction: string | null): void {
    const parts = instructions
      .flatMap(turn => turn.parts)
      .filter(part => part.kind === 'text' && part.text.trim() !== '')
    const [only] = parts
    if (parts.length === 0 && instruction === null) return
    if (parts.length === 1 && instruction === null && only?.kind === 'text' && only.cache === null) {
      out.member('system', only.text)
      return
    }
    out.key('system').array()
    for (const part of parts) this.text(out, part.kind === 'text' ? part.text : '', part)
    if (instruction !== null) out.object().member('type', 'text').member('text', instruction).endObject()
    out.endArray()
  }

  writeTurn(out: JsonOut, turn: PromptTurn): void {
    if (turn.name !== null) this.writing.lose('drop', `${turn.at}/name`, 'participant_name')
    out.object().member('role', turn.role === 'model' ? 'assistant' : turn.role)
    const [only] = turn.parts
    const plain =
      turn.parts.length === 1 && only?.kind === 'text' && only.cache === null && only.extra.length === 0
    if (plain && (only.citations.length === 0 || !this.own)) {
      if (only.citations.length > 0) this.writing.lose('drop', only.at, 'citations')
      out.member('content', only.text)
    } else this.content(out, 'content', turn)
    this.writing.extras(out, turn)
    out.endObject()
  }

  private content(out: JsonOut, name: string, turn: { readonly parts: readonly Part[] }): void {
    out.key(name).array()
    // Thinking comes before everything else of its turn.
    const ordered = this.own
      ? turn.parts
      : [
          ...turn.parts.filter(part => part.kind === 'reasoning'),
          ...turn.parts.filter(part => part.kind !== 'reasoning'),
        ]
    for (const part of ordered) this.part(out, part)
    out.endArray()
  }

  private part(out: JsonOut, part: Part): void {
    switch (part.kind) {
      case 'text':
        this.text(out, part.text, part)
        if (part.signature !== null) this.writing.takes(part.signature, part.at)
        return
      case 'refusal':
        this.text(out, part.text, part)
        return
      case 'media':
        this.media(out, part)
        return
      case 'search-result':
        out.object().member('type', 'search_result').member('source', part.url).member('title', part.title)
        this.content(out, 'content', part)
        if (part.cite) out.memberRaw('citations', '{"enabled":true}')
        this.close(out, part)
        return
      case 'reasoning':
        this.reasoning(out, part)
        return
      case 'call':
        this.call(out, part)
        return
      case 'result':
        this.result(out, part)
        return
      case 'vendor': {
        if (part.dialect === 'anthropic-messages') {
          out.raw(part.json)
          return
        }
        const text = this.writing.vendorText(part)
        if (text !== null && text.trim() !== '') this.text(out, text, part)
      }
    }
  }

  /** Ends a block: cache mark, and unknown members of the own dialect. */
  private close(out: JsonOut, part: Part): void {
    if (part.cache !== null) out.memberRaw('cache_control', cacheControl(part.cache))
    this.writing.extras(out, part)
    out.endObject()
  }

  private text(out: JsonOut, text: string, part: Part): void {
    out.object().member('type', 'text').member('text', text)
    if (part.kind === 'text' && part.citations.length > 0) {
      const own = part.citations.filter(citation => citation.dialect === 'anthropic-messages')
      if (own.length < part.citations.length) this.writing.lose('drop', part.at, 'citations')
      if (own.length > 0) out.memberRaw('citations', `[${own.map(citation => citation.json).join(',')}]`)
    }
    this.close(out, part)
  }

  private call(out: JsonOut, call: CallPart): void {
    const input = call.custom ? `{"input":${JSON.stringify(call.input)}}` : argumentsObject(call.input)
    out.object().member('type', 'tool_use').member('id', this.writing.callId(call.id))
    out.member('name', this.writing.names.toTarget(call.name, call.namespace)).memberRaw('input', input)
    if (call.signature !== null) this.writing.takes(call.signature, call.at)
    this.close(out, call)
  }

  private result(out: JsonOut, result: ResultPart): void {
    out.object().member('type', 'tool_result').member('tool_use_id', this.writing.callId(result.callId))
    const [only] = result.parts
    if (result.json !== null && result.parts.length > 0) {
      const said = result.json === '{}' ? [] : [textPart(result.json, result.at)]
      this.content(out, 'content', { parts: [...said, ...result.parts] })
    } else if (result.json !== null) out.member('content', result.json)
    else if (result.parts.length === 1 && only?.kind === 'text' && only.cache === null)
      out.member('content', only.text)
    else if (result.parts.length > 0) this.content(out, 'content', result)
    if (result.failed) out.member('is_error', true)
    this.close(out, result)
  }

  private reasoning(out: JsonOut, part: ReasoningPart): void {
    const { opaque } = part
    const text = part.sections.join('\n\n')
    if (opaque === null) {
      // A block without a signature is refused by every model that checks.
      this.writing.lose('drop', part.at, 'unsigned_reasoning')
      return
    }
    if (!this.writing.takes(opaque, part.at)) return
    if (!this.own && !this.thinks) {
      this.writing.lose('drop', part.at, 'reasoning_is_off')
      return
    }
    out.object()
    if (opaque.kind === 'redacted') out.member('type', 'redacted_thinking').member('data', opaque.value)
    else out.member('type', 'thinking').member('thinking', text).member('signature', opaque.value)
    out.endObject()
  }

  private media(out: JsonOut, part: MediaPart): void {
    const { source } = part
    const { facts } = this.writing.target
    if (part.media === 'audio') this.writing.refuse(part.at, 'this model takes no audio')
    if (part.media === 'video') this.writing.refuse(part.at, 'this model takes no video')
    if (source.kind === 's3') this.writing.refuse(part.at, 'this model cannot read S3 locations')
    if (source.kind === 'file' && source.dialect !== 'anthropic-messages') {
      this.writing.refuse(part.at, `the file ${source.id} is stored at another vendor`)
    }
    if (part.media === 'image') {
      if (!facts.images) this.writing.refuse(part.at, 'this model takes no images')
      this.image(out, part)
    } else {
      if (!facts.documents) this.writing.refuse(part.at, 'this model takes no documents')
      this.document(out, part)
    }
  }

  private image(out: JsonOut, part: MediaPart): void {
    const { source } = part
    if (part.detail !== null && part.detail !== 'auto') this.writing.lose('drop', part.at, 'image_detail')
    out.object().member('type', 'image').key('source').object()
    if (source.kind === 'base64') {
      const mime = part.mime ?? 'image/png'
      if (!IMAGE_TYPES.has(mime)) {
        this.writing.refuse(
          part.at,
          `found ${mime}, allowed is image/jpeg, image/png, image/gif or image/webp`,
        )
      }
      out.member('type', 'base64').member('media_type', mime).member('data', source.data)
    } else if (source.kind === 'url') {
      if (!/^https?:/i.test(source.url))
        this.writing.refuse(part.at, 'allowed is an https address or a data URL')
      out.member('type', 'url').member('url', source.url)
    } else if (source.kind === 'file') out.member('type', 'file').member('file_id', source.id)
    out.endObject()
    this.close(out, part)
  }

  private document(out: JsonOut, part: MediaPart): void {
    const { source } = part
    out.object().member('type', 'document').key('source')
    if (source.kind === 'parts') {
      out.object().member('type', 'content')
      this.content(out, 'content', source)
      out.endObject()
    } else this.documentSource(out, part)
    const title = part.title ?? part.name
    out.memberIf('title', title).memberIf('context', part.context)
    if (part.cite) out.memberRaw('citations', '{"enabled":true}')
    this.close(out, part)
  }

  private documentSource(out: JsonOut, part: MediaPart): void {
    const { source } = part
    out.object()
    if (source.kind === 'text')
      out.member('type', 'text').member('media_type', 'text/plain').member('data', source.text)
    else if (source.kind === 'url') out.member('type', 'url').member('url', source.url)
    else if (source.kind === 'file') out.member('type', 'file').member('file_id', source.id)
    else if (source.kind === 'base64') {
      const text = part.mime?.startsWith('text/') ? textOfBase64(source.data) : null
      if (text !== null) out.member('type', 'text').member('media_type', 'text/plain').member('data', text)
      else if (part.mime === null || part.mime === 'application/pdf') {
        out.member('type', 'base64').member('media_type', 'application/pdf').member('data', source.data)
      } else this.writing.refuse(part.at, `found ${part.mime}, allowed is application/pdf or text`)
    }
    out.endObject()
  }
}
