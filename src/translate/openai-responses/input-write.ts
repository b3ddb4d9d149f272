// Turns as the input of a Responses body. Owns how parts become items: results and calls are items of their own, and
// what is said between two of them is one message.

import { hashHex } from '../bytes/hash.ts'
import type { JsonOut } from '../bytes/json-out.ts'
import { dataUrl, inline, searchResultText, titled } from '../media.ts'
import { audioFormat, checkDocument, checkMedia, documentText } from '../openai-media.ts'
import {
  type CacheMark,
  type CallPart,
  type MediaPart,
  type Part,
  type Prompt,
  type PromptTurn,
  type ReasoningPart,
  type RefusalPart,
  type ResultPart,
  type TextPart,
  type VendorPart,
  textPart,
} from '../prompt.ts'
import type { PromptWriting } from '../prompt-writing.ts'

/** What the parts list of a message or an output can hold. */
type Said = TextPart | RefusalPart | MediaPart | VendorPart

const INSTRUCTIONS = '/instructions'

export class InputWriter {
  private readonly out: JsonOut
  private readonly writing: PromptWriting
  private readonly prompt: Prompt
  private readonly own: boolean
  private items: number

  constructor(out: JsonOut, writing: PromptWriting, prompt: Prompt) {
    this.out = out
    this.writing = writing
    this.prompt = prompt
    this.own = prompt.dialect === 'openai-responses'
    this.items = 0
  }

  /** `instruction` is a sentence of ours that the model has to obey. */
  write(instruction: string | null): void {
    const leading = this.instructions()
    if (leading !== null) this.out.member('instructions', leading.text)
    const { instructions, turns } = this.prompt
    // A template brings its own input.
    if (this.own && turns.length === 0 && instructions.length === (leading === null ? 0 : 1)) return
    this.out.key('input').array()
    for (const turn of instructions) if (turn !== leading?.turn) this.system(turn)
    if (instruction !== null) this.instruction(instruction)
    for (const turn of turns) {
      if (turn.role === 'system') this.system(turn)
      else if (turn.role === 'user') this.user(turn)
      else this.model(turn)
    }
    this.out.endArray()
    if (this.own) return
    if (this.items === 0) this.writing.refuseNothing()
    const last = turns.at(-1)
    if (last?.role === 'model' && !this.writing.target.facts.prefill) {
      this.writing.lose('map', last.at, 'prefill_as_history')
    }
  }

  /** The turn that becomes the `instructions` member: the one that was it, or the only one if it is plain text. */
  private instructions(): { readonly turn: PromptTurn; readonly text: string } | null {
    const { instructions } = this.prompt
    const turn = this.own
      ? instructions.find(candidate => candidate.at === INSTRUCTIONS)
      : instructions.length === 1
        ? instructions[0]
        : undefined
    const [only] = turn?.parts ?? []
    // Without a turn to answer, a host wants the text in the input.
    if (this.prompt.turns.length === 0 && !this.own) return null
    if (turn === undefined || turn.parts.length !== 1 || only?.kind !== 'text' || only.text === '')
      return null
    return this.marked(only.cache) ? null : { turn, text: only.text }
  }

  private instruction(text: string): void {
    this.message(this.writing.target.systemRole).member('content', text).endObject()
  }

  private message(role: string): JsonOut {
    this.items += 1
    return this.out.object().member('type', 'message').member('role', role)
  }

  /** The members of a turn that only its own dialect has. */
  private close(turn: PromptTurn): void {
    this.writing.extras(this.out, turn)
    this.out.endObject()
  }

  private system(turn: PromptTurn): void {
    const parts = turn.parts.flatMap(part => this.said(part))
    if (parts.length === 0) return
    this.noteName(turn)
    this.message(this.own ? (turn.developer ? 'developer' : 'system') : this.writing.target.systemRole)
    this.content('content', parts, 'input')
    this.close(turn)
  }

  private noteName(turn: PromptTurn): void {
    if (turn.name !== null) this.writing.lose('drop', `${turn.at}/name`, 'participant_name')
  }

  private user(turn: PromptTurn): void {
    this.noteName(turn)
    let said: Said[] = []
    /** What outputs could not hold: it follows the last of them. */
    let held: Said[] = []
    for (const part of turn.parts) {
      if (part.kind === 'result' || isItem(part)) {
        this.userMessage(said, turn)
        said = []
        if (part.kind === 'result') held.push(...this.result(part))
        else this.raw(part)
      } else {
        said.push(...held, ...this.said(part))
        held = []
      }
    }
    this.userMessage([...said, ...held], turn)
  }

  private userMessage(parts: readonly Said[], turn: PromptTurn): void {
    if (parts.length === 0) return
    this.message('user')
    this.content('content', parts, 'input')
    this.close(turn)
  }

  private raw(part: VendorPart): void {
    this.items += 1
    this.out.raw(part.json)
  }

  private model(turn: PromptTurn): void {
    this.noteName(turn)
    let said: Said[] = []
    let first = true
    const flush = (): void => {
      if (said.length > 0) this.modelMessage(said, turn, first)
      if (said.length > 0) first = false
      said = []
    }
    for (const part of turn.parts) {
      if (part.kind === 'reasoning') {
        flush()
        this.reasoning(part)
      } else if (part.kind === 'call') {
        flush()
        this.call(part)
      } else if (isItem(part)) {
        flush()
        this.raw(part)
      } else said.push(...this.modelSaid(part))
    }
    flush()
  }

  private modelMessage(parts: readonly Said[], turn: PromptTurn, first: boolean): void {
    const { out } = this
    this.message('assistant')
    if (this.own && first) {
      out.memberIf('id', turn.id).memberIf('phase', turn.phase)
      if (turn.id !== null) out.member('status', 'completed')
    }
    // A message with an id is one of the vendor's own, and those have lists.
    this.content('content', parts, 'output', this.own && first && turn.id !== null)
    if (first) this.close(turn)
    else out.endObject()
  }

  private modelSaid(part: Part): Said[] {
    if (part.kind === 'media') {
      this.writing.lose('drop', part.at, 'media_of_model')
      return []
    }
    if (part.kind === 'text') {
      if (part.cache !== null) this.writing.lose('drop', part.at, 'cache_mark_on_model_text')
      if (part.citations.some(citation => citation.dialect !== 'openai-responses')) {
        this.writing.lose('drop', part.at, 'citations')
      }
      if (part.signature !== null) this.writing.lose('drop', part.at, 'text_signature')
    }
    return this.said(part)
  }

  /** A part as a list of parts here can hold it: itself, text that stands for it, or nothing. */
  private said(part: Part): Said[] {
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
        if (part.dialect === 'openai-responses') return [part]
        const text = this.writing.vendorText(part)
        return text === null || text === '' ? [] : [textPart(text, part.at)]
      }
      default:
        this.writing.lose('drop', part.at, `misplaced_${part.kind}`)
        return []
    }
  }

  private media(part: MediaPart): Said[] {
    const { source } = part
    if (source.kind === 'text') return [textPart(titled(part, source.text), part.at, part.cache)]
    if (source.kind === 'parts') {
      const title = titled(part, '')
      const heading = title === '' ? [] : [textPart(title, part.at)]
      return [...heading, ...source.parts.flatMap(piece => this.said(piece))]
    }
    checkMedia(part, this.writing)
    if (part.media !== 'document') return [part]
    const text = this.own ? null : documentText(part)
    if (text !== null) return [text]
    checkDocument(part, this.writing)
    return [part]
  }

  /** One plain text becomes a string, everything else a list of parts. */
  private content(name: string, parts: readonly Said[], side: 'input' | 'output', list = false): void {
    const [only] = parts
    const plain = only?.kind === 'text' && only.extra.length === 0 && only.citations.length === 0
    if (parts.length === 1 && plain && !list && !this.marked(only.cache)) {
      this.out.member(name, only.text)
      return
    }
    this.out.key(name).array()
    for (const part of parts) this.part(part, side)
    this.out.endArray()
  }

  private part(part: Said, side: 'input' | 'output'): void {
    const { out } = this
    if (part.kind === 'vendor') {
      out.raw(part.json)
      return
    }
    out.object()
    if (part.kind === 'text') {
      out.member('type', `${side}_text`).member('text', part.text)
      if (side === 'output') {
        const own = part.citations.filter(citation => citation.dialect === 'openai-responses')
        out.memberRaw('annotations', `[${own.map(citation => citation.json).join(',')}]`)
      }
    } else if (part.kind === 'refusal') {
      if (side === 'output') out.member('type', 'refusal').member('refusal', part.text)
      else out.member('type', 'input_text').member('text', part.text)
    } else if (part.media === 'image') this.image(part)
    else if (part.media === 'audio') this.audio(part)
    else this.file(part)
    if (side === 'input' && this.marked(part.cache)) {
      const ttl = part.cache === 'long' ? '12h' : '30m'
      out.memberRaw('prompt_cache_breakpoint', `{"mode":"explicit","ttl":"${ttl}"}`)
    }
    this.writing.extras(out, part)
    out.endObject()
  }

  /** A cache mark that this host is told. */
  private marked(cache: CacheMark | null): boolean {
    const { facts, firstParty } = this.writing.target
    return cache !== null && (this.own || (facts.cacheMarks && firstParty))
  }

  private image(part: MediaPart): void {
    const { source } = part
    this.out.member('type', 'input_image')
    if (source.kind === 'file') this.out.member('file_id', source.id)
    else {
      const url = source.kind === 'url' ? source.url : dataUrl(part.mime ?? 'image/png', inline(part))
      this.out.member('image_url', url)
    }
    this.out.member('detail', part.detail ?? 'auto')
  }

  private audio(part: MediaPart): void {
    const format = audioFormat(part, this.writing)
    if (part.source.kind !== 'base64') this.writing.refuse(part.at, 'sounds are taken by value only')
    this.out.member('type', 'input_audio').key('input_audio').object()
    this.out.member('data', inline(part)).member('format', format).endObject()
  }

  private file(part: MediaPart): void {
    const { out } = this
    const { source } = part
    const name = part.name ?? part.title
    out.member('type', 'input_file')
    if (source.kind === 'file') out.member('file_id', source.id)
    else if (source.kind === 'url') out.member('file_url', source.url)
    else {
      out.member('filename', name ?? 'document.pdf')
      out.member('file_data', dataUrl(part.mime ?? 'application/pdf', inline(part)))
      return
    }
    out.memberIf('filename', this.own ? name : null)
  }

  private reasoning(part: ReasoningPart): void {
    const { opaque } = part
    // An id alone finds the item again only where replies are stored.
    if (opaque === null || (opaque.value === '' && this.prompt.store !== true)) {
      this.unsigned(part)
      return
    }
    if (!this.writing.takes(opaque, part.at)) return
    this.reasoningItem(part, opaque.id, opaque.value)
  }

  private unsigned(part: ReasoningPart): void {
    const { replayReasoning } = this.writing.target.facts
    const named = this.own && part.extra.some(extra => extra.name === 'id')
    if (named && (replayReasoning || this.prompt.store !== false)) this.reasoningItem(part, null, '')
    else if (!named && part.sections.length > 0 && replayReasoning) {
      this.reasoningItem(part, `rs_${hashHex(part.sections.join('\n\n'), 24)}`, '')
    } else this.writing.lose('drop', part.at, 'reasoning_not_replayed')
  }

  private reasoningItem(part: ReasoningPart, id: string | null, encrypted: string): void {
    const { out } = this
    this.items += 1
    out.object().member('type', 'reasoning').memberIf('id', id)
    const raw = this.own && part.extra.some(extra => extra.name === 'summary')
    if (!raw) {
      out.key('summary').array()
      for (const text of part.sections)
        out.object().member('type', 'summary_text').member('text', text).endObject()
      out.endArray()
    }
    this.writing.extras(out, part)
    if (encrypted !== '') out.member('encrypted_content', encrypted)
    out.endObject()
  }

  private call(call: CallPart): void {
    const { out } = this
    this.items += 1
    const native = call.custom && (this.own || this.writing.target.facts.customTools)
    out.object().member('type', native ? 'custom_tool_call' : 'function_call')
    if (this.own) out.memberIf('id', call.itemId)
    out.member('call_id', this.writing.callId(call.id))
    if (this.own) out.memberIf('namespace', call.namespace).member('name', call.name)
    else out.member('name', this.writing.names.toTarget(call.name, call.namespace))
    if (native) out.member('input', call.input)
    else {
      const input = call.custom ? `{"input":${JSON.stringify(call.input)}}` : call.input
      out.member('arguments', input.trim() === '' ? '{}' : input)
    }
    this.writing.extras(out, call)
    out.endObject()
    if (call.signature !== null) this.writing.lose('drop', call.at, 'call_signature')
  }

  /** Writes the output of a call; returns what has to follow in a message of the user. */
  private result(part: ResultPart): Said[] {
    const { out } = this
    const native = part.custom && (this.own || this.writing.target.facts.customTools)
    const parts = part.parts.flatMap(piece => this.said(piece))
    const media = this.own || this.writing.target.facts.resultImages ? [] : parts.filter(isMedia)
    const shown = parts.filter(piece => !media.includes(piece))
    if (part.json !== null) shown.unshift(textPart(part.json, part.at))
    if (part.failed) this.markFailed(part, shown)
    if (shown.length === 0 && media.length > 0) shown.push(textPart('[image]', part.at))
    this.items += 1
    out.object().member('type', native ? 'custom_tool_call_output' : 'function_call_output')
    out.member('call_id', this.writing.callId(part.callId))
    if (shown.length === 0) out.member('output', '')
    else this.content('output', shown, 'input')
    this.writing.extras(out, part)
    out.endObject()
    if (media.length === 0) return []
    this.writing.lose('emulate', part.at, 'media_after_result')
    const label = `Image returned by tool call ${this.writing.callId(part.callId)}:`
    return [textPart(label, part.at), ...media]
  }

  /** An output has no error flag here: its text says so. */
  private markFailed(part: ResultPart, shown: Said[]): void {
    this.writing.lose('emulate', part.at, 'error_flag_in_text')
    const [first] = shown
    if (first?.kind !== 'text') shown.unshift(textPart('Error', part.at))
    else if (!/^error\b/i.test(first.text)) shown[0] = { ...first, text: `Error: ${first.text}` }
  }
}

/** A vendor part of this dialect is an item, unless it was read from the list of a message or an output. */
function isItem(part: Part): part is VendorPart {
  return (
    part.kind === 'vendor' &&
    part.dialect === 'openai-responses' &&
    !/\/(?:content|output)\/\d+$/.test(part.at)
  )
}

function isMedia(part: Said): boolean {
  return part.kind === 'media'
}
