// The messages of a Chat Completions body. Owns how turns become messages: results stand as `tool` messages before
// the rest of their turn, and what a tool result cannot hold here follows it in a user message.

import type { JsonOut } from '../bytes/json-out.ts'
import { dataUrl, inline, searchResultText, titled } from '../media.ts'
import { wrapOpaque } from '../opaque.ts'
import { audioFormat, checkDocument, checkMedia, documentText } from '../openai-media.ts'
import {
  type CacheMark,
  type CallPart,
  type MediaPart,
  type Part,
  type Prompt,
  type PromptTurn,
  type ReasoningPart,
  type ResultPart,
  textPart,
} from '../prompt.ts'
import type { PromptWriting } from '../prompt-writing.ts'

export function writeMessages(
  out: JsonOut,
  prompt: Prompt,
  writing: PromptWriting,
  instruction: string | null,
): void {
  new MessageWriter(out, writing, prompt).write(instruction)
}

class MessageWriter {
  private readonly out: JsonOut
  private readonly writing: PromptWriting
  private readonly prompt: Prompt
  private messages = 0

  constructor(out: JsonOut, writing: PromptWriting, prompt: Prompt) {
    this.out = out
    this.writing = writing
    this.prompt = prompt
  }

  write(instruction: string | null): void {
    for (const turn of this.prompt.instructions) this.system(turn)
    if (instruction !== null)
      this.open(this.writing.target.systemRole).member('content', instruction).endObject()
    for (const turn of this.prompt.turns) {
      if (turn.role === 'system') this.system(turn)
      else if (turn.role === 'user') this.user(turn)
      else this.model(turn)
    }
    if (this.messages === 0) this.writing.refuseNothing()
  }

  private open(role: string): JsonOut {
    this.messages += 1
    return this.out.object().member('role', role)
  }

  private close(turn: PromptTurn): void {
    if (this.prompt.dialect === 'openai-chat') this.out.memberIf('name', turn.name).extras(turn.extra)
    else this.writing.loseExtras(turn)
    this.out.endObject()
  }

  private system(turn: PromptTurn): void {
    const parts = turn.parts.filter(part => part.kind === 'text' && part.text !== '')
    if (parts.length === 0) return
    const own = this.prompt.dialect === 'openai-chat'
    this.open(own ? (turn.developer ? 'developer' : 'system') : this.writing.target.systemRole)
    const marked = parts.some(part => part.cache !== null) && this.writing.target.facts.cacheMarks
    if (own || marked) this.content(parts)
    else {
      const texts = parts.map(part => (part.kind === 'text' ? part.text : ''))
      this.out.member('content', texts.join('\n\n'))
    }
    this.close(turn)
  }

  private user(turn: PromptTurn): void {
    const shown: Part[] = []
    for (const part of turn.parts) if (part.kind === 'result') shown.push(...this.result(part))
    const rest = [...shown, ...turn.parts.filter(part => part.kind !== 'result')].flatMap(part =>
      this.userPart(part),
    )
    if (rest.length === 0) return
    this.open('user')
    this.content(rest)
    this.close(turn)
  }

  /** Writes the tool message; returns what has to follow in a user message. */
  private result(part: ResultPart): Part[] {
    const texts: string[] = []
    const media: Part[] = []
    for (const piece of part.parts.flatMap(piece => this.userPart(piece))) {
      if (piece.kind === 'text') texts.push(piece.text)
      else media.push(piece)
    }
    if (part.json !== null) texts.unshift(part.json)
    let text = texts.join('\n')
    if (part.failed) {
      this.writing.lose('emulate', part.at, 'error_flag_in_text')
      if (!/^error\b/i.test(text)) text = `Error: ${text}`
    }
    if (text === '' && media.length > 0) text = '[image]'
    this.open('tool')
      .member('tool_call_id', this.writing.callId(part.callId))
      .member('content', text)
      .endObject()
    if (media.length === 0) return media
    this.writing.lose('emulate', part.at, 'media_after_result')
    const label = `Image returned by tool call ${this.writing.callId(part.callId)}:`
    return [textPart(label, part.at), ...media]
  }

  /** A part as this dialect's users can say it: itself, text that stands for it, or nothing. */
  private userPart(part: Part): Part[] {
    switch (part.kind) {
      case 'text':
      case 'refusal':
        return part.text === '' ? [] : [part]
      case 'media':
        return this.media(part)
      case 'search-result': {
        this.writing.lose('map', part.at, 'search_result_as_text')
        return [textPart(searchResultText(part), part.at, part.cache)]
      }
      case 'vendor': {
        if (part.dialect === 'openai-chat') return [part]
        const text = this.writing.vendorText(part)
        return text === null ? [] : [textPart(text, part.at)]
      }
      default:
        this.writing.lose('drop', part.at, `${part.kind}_in_user_turn`)
        return []
    }
  }

  private media(part: MediaPart): Part[] {
    const { source } = part
    if (source.kind === 'text') return [textPart(titled(part, source.text), part.at, part.cache)]
    if (source.kind === 'parts') {
      return [textPart(titled(part, ''), part.at), ...source.parts.flatMap(p => this.userPart(p))]
    }
    checkMedia(part, this.writing)
    if (part.media === 'image' && source.kind === 'file')
      this.writing.refuse(part.at, 'images are taken by value only')
    if (part.media !== 'document') return [part]
    const text = documentText(part)
    if (text !== null) return [text]
    checkDocument(part, this.writing)
    if (source.kind === 'url')
      this.writing.refuse(part.at, 'documents are taken by value only, not by address')
    return [part]
  }

  /** One plain text becomes a string, everything else a list of parts. */
  private content(parts: readonly Part[]): void {
    const [only] = parts
    const marks = this.writing.target.facts.cacheMarks
    if (
      parts.length === 1 &&
      only?.kind === 'text' &&
      only.extra.length === 0 &&
      (only.cache === null || !marks)
    ) {
      this.out.member('content', only.text)
      return
    }
    this.out.key('content').array()
    for (const part of parts) this.contentPart(part)
    this.out.endArray()
  }

  private contentPart(part: Part): void {
    const { out } = this
    if (part.kind === 'vendor') {
      out.raw(part.json)
      return
    }
    out.object()
    if (part.kind === 'text') out.member('type', 'text').member('text', part.text)
    else if (part.kind === 'refusal') out.member('type', 'refusal').member('refusal', part.text)
    else if (part.kind === 'media') this.mediaMembers(part)
    this.mark(part.cache)
    if (this.prompt.dialect === 'openai-chat') out.extras(part.extra)
    out.endObject()
  }

  private mediaMembers(part: MediaPart): void {
    const { out } = this
    const { source } = part
    if (part.media === 'image') {
      const url = source.kind === 'url' ? source.url : dataUrl(part.mime ?? 'image/png', inline(part))
      out.member('type', 'image_url').key('image_url').object().member('url', url)
      const finest = part.detail === 'original'
      if (finest) this.writing.lose('map', part.at, 'image_detail')
      out.memberIf('detail', finest ? 'high' : part.detail).endObject()
    } else if (part.media === 'audio') {
      const format = audioFormat(part, this.writing)
      out.member('type', 'input_audio').key('input_audio').object()
      out.member('data', inline(part)).member('format', format).endObject()
    } else {
      out.member('type', 'file').key('file').object()
      if (source.kind === 'file') out.member('file_id', source.id)
      else {
        out.member('file_data', dataUrl(part.mime ?? 'application/pdf', inline(part)))
        out.member('filename', part.name ?? part.title ?? 'document.pdf')
      }
      out.endObject()
    }
  }

  private mark(cache: CacheMark | null): void {
    if (cache === null || !this.writing.target.facts.cacheMarks) return
    if (this.writing.target.firstParty) {
      this.out.memberRaw(
        'prompt_cache_breakpoint',
        `{"mode":"explicit","ttl":"${cache === 'long' ? '12h' : '30m'}"}`,
      )
    } else this.out.memberRaw('cache_control', `{"type":"ephemeral"${cache === 'long' ? ',"ttl":"1h"' : ''}}`)
  }

  private model(turn: PromptTurn): void {
    const reasoning = turn.parts.filter(part => part.kind === 'reasoning')
    const calls = turn.parts.filter(part => part.kind === 'call')
    const said = turn.parts.flatMap(part => this.modelPart(part))
    const replayed = this.replayed(reasoning)
    if (said.length === 0 && calls.length === 0 && !replayed) return
    this.open('assistant')
    const refusals = said.filter(part => part.kind === 'refusal')
    const texts = said.filter(part => part.kind === 'text')
    if (texts.length > 0)
      this.out.member('content', texts.map(part => (part.kind === 'text' ? part.text : '')).join(''))
    else this.out.member('content', null)
    if (refusals.length > 0) {
      this.out.member('refusal', refusals.map(part => (part.kind === 'refusal' ? part.text : '')).join(''))
    }
    this.reasoning(reasoning)
    if (calls.length > 0) {
      this.out.key('tool_calls').array()
      for (const call of calls) this.call(call)
      this.out.endArray()
    }
    for (const part of said)
      if (part.kind === 'vendor' && part.type === 'audio') this.out.memberRaw('audio', part.json)
    this.close(turn)
  }

  private modelPart(part: Part): Part[] {
    switch (part.kind) {
      case 'text':
        if (part.citations.length > 0) this.writing.lose('drop', part.at, 'citations')
        if (part.cache !== null) this.writing.lose('drop', part.at, 'cache_mark_on_model_text')
        return part.text === '' ? [] : [part]
      case 'refusal':
        return part.text === '' ? [] : [part]
      case 'vendor': {
        if (part.dialect === 'openai-chat') return [part]
        const text = this.writing.vendorText(part)
        return text === null ? [] : [textPart(text, part.at)]
      }
      case 'media':
        this.writing.lose('drop', part.at, 'media_of_model')
        return []
      case 'result':
      case 'search-result':
        this.writing.lose('drop', part.at, `${part.kind.replace('-', '_')}_in_model_turn`)
        return []
      default:
        return []
    }
  }

  private replayed(reasoning: readonly ReasoningPart[]): boolean {
    return reasoning.some(part => this.readable(part) !== '' || this.usable(part))
  }

  private readable(part: ReasoningPart): string {
    return this.writing.target.facts.replayReasoning ? part.sections.join('\n\n') : ''
  }

  /** The first-party API has no member for it and refuses unknown ones; compatible hosts read it back. */
  private usable(part: ReasoningPart): boolean {
    const { family, firstParty, facts } = this.writing.target
    if (firstParty && !facts.replayReasoning) return false
    return part.opaque !== null && part.opaque.family === family
  }

  private reasoning(parts: readonly ReasoningPart[]): void {
    for (const part of parts) {
      if (part.opaque !== null && this.writing.takes(part.opaque, part.at) && !this.usable(part)) {
        this.writing.lose('drop', part.at, 'reasoning_not_replayed')
      }
      if (part.sections.length > 0 && this.readable(part) === '') {
        this.writing.lose('drop', part.at, 'reasoning_not_replayed')
      }
    }
    const text = parts.map(part => this.readable(part)).filter(piece => piece !== '')
    if (text.length > 0) this.out.member('reasoning_content', text.join('\n\n'))
    const usable = parts.filter(part => this.usable(part))
    if (usable.length === 0) return
    this.out.key('reasoning_details').array()
    for (const part of usable) writeDetail(this.out, part)
    this.out.endArray()
  }

  private call(call: CallPart): void {
    const name = this.writing.names.toTarget(call.name, call.namespace)
    const native = call.custom && this.writing.target.facts.customTools
    this.out
      .object()
      .member('id', this.writing.callId(call.id))
      .member('type', native ? 'custom' : 'function')
    if (native) this.out.key('custom').object().member('name', name).member('input', call.input)
    else {
      const input = call.custom ? `{"input":${JSON.stringify(call.input)}}` : call.input
      this.out
        .key('function')
        .object()
        .member('name', name)
        .member('arguments', input === '' ? '{}' : input)
    }
    this.out.endObject().endObject()
    if (call.signature !== null) this.writing.lose('drop', call.at, 'call_signature')
  }
}

/** One entry of `reasoning_details`, the member in which compatible hosts carry opaque material. */
export function writeDetail(
  out: JsonOut,
  part: { sections: readonly string[]; opaque: ReasoningPart['opaque'] },
): void {
  const { opaque } = part
  if (opaque === null) return
  out.object().member('type', opaque.kind === 'signature' ? 'reasoning.text' : 'reasoning.encrypted')
  const text = part.sections.join('\n\n')
  if (text !== '') out.member('text', text)
  out.member(opaque.kind === 'signature' ? 'signature' : 'data', wrapOpaque(opaque, 'openai-chat'))
  out.memberIf('id', opaque.id).endObject()
}
