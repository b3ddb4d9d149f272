// Turns as Converse blocks. Owns what each part becomes, where media may stand, and what may never be empty.

import { JsonOut } from '../bytes/json-out.ts'
import { argumentsObject } from '../bytes/json-text.ts'
import { NATIVE_FAMILY } from '../opaque.ts'
import type {
  CacheMark,
  CallPart,
  MediaPart,
  Part,
  Prompt,
  PromptTurn,
  ReasoningPart,
  ResultPart,
  SearchResultPart,
  TextPart,
} from '../prompt.ts'
import type { PromptWriting } from '../prompt-writing.ts'
import { type CacheMarks, markOf } from './cache-marks.ts'
import { citationJson } from './citations.ts'
import { GUARD_EXTRA } from './content-read.ts'
import { MediaWriter } from './media-write.ts'
import { vendorOf } from './reasoning.ts'
import { cachePoint } from './wire.ts'

/** Stands where a turn must be and nothing of it can be said. */
const EMPTY_TURN_TEXT = '.'
const EMPTY_RESULT_TEXT = '(no output)'
/** A document is refused without text beside it. */
const BESIDE_DOCUMENT_TEXT = 'See attached document.'

export class BlockWriter {
  private readonly writing: PromptWriting
  private readonly marks: CacheMarks
  /** The prompt came in this dialect: its blocks and unknown members go out again. */
  private readonly own: boolean
  private readonly thinks: boolean
  /** The model takes what Claude takes: citations, search results. */
  private readonly claude: boolean
  private readonly media: MediaWriter
  /** Media of results that a result cannot hold: they follow the last result of their turn. */
  private waiting: { readonly callId: string; readonly part: MediaPart }[]

  constructor(prompt: Prompt, writing: PromptWriting, marks: CacheMarks, thinks: boolean) {
    this.writing = writing
    this.marks = marks
    this.own = prompt.dialect === 'bedrock-converse'
    this.thinks = thinks
    this.claude = vendorOf(prompt, writing) === 'anthropic'
    this.media = new MediaWriter(writing, this.own)
    this.waiting = []
  }

  writeSystem(out: JsonOut, instructions: readonly PromptTurn[], sentences: readonly string[]): void {
    const blocks = new JsonOut().array()
    for (const part of instructions.flatMap(turn => turn.parts)) {
      if (part.kind === 'text' ? part.text.trim() !== '' || this.own : part.kind === 'vendor') {
        this.part(blocks, part)
        this.mark(blocks, part.cache, part.at)
      } else if (part.kind !== 'text') this.writing.lose('drop', part.at, `${part.kind}_in_system`)
    }
    for (const text of sentences) blocks.object().member('text', text).endObject()
    const json = blocks.endArray().text
    if (json !== '[]') out.memberRaw('system', json)
  }

  /** `auto` is a mark for the end of the last turn. */
  writeTurn(out: JsonOut, turn: PromptTurn, auto: CacheMark | null): void {
    const blocks = new JsonOut().array()
    // Reasoning comes before everything else of its turn.
    const ordered = this.own
      ? turn.parts
      : [
          ...turn.parts.filter(part => part.kind === 'reasoning'),
          ...turn.parts.filter(part => part.kind !== 'reasoning'),
        ]
    const last = ordered.at(-1)
    for (const part of ordered) {
      if (part.kind !== 'result') this.flushWaiting(blocks)
      this.part(blocks, part)
      const mark = markOf(part) ?? (part === last ? auto : null)
      if (blocks.text !== '[') this.mark(blocks, mark, part.at)
    }
    this.flushWaiting(blocks)
    if (!this.own) this.fill(blocks, turn)
    out.object().member('role', turn.role === 'model' ? 'assistant' : turn.role)
    out.memberRaw('content', blocks.endArray().text)
    if (turn.name !== null) this.writing.lose('drop', `${turn.at}/name`, 'participant_name')
    this.writing.extras(out, turn)
    out.endObject()
  }

  /** What the service demands of a turn beyond what the client said. */
  private fill(blocks: JsonOut, turn: PromptTurn): void {
    const documents = turn.parts.some(part => part.kind === 'media' && part.media === 'document')
    if (documents && !turn.parts.some(part => part.kind === 'text')) {
      this.writing.lose('emulate', turn.at, 'text_beside_document')
      blocks.object().member('text', BESIDE_DOCUMENT_TEXT).endObject()
    }
    if (blocks.text !== '[') return
    this.writing.lose('emulate', turn.at, 'empty_turn')
    blocks.object().member('text', EMPTY_TURN_TEXT).endObject()
  }

  private flushWaiting(blocks: JsonOut): void {
    for (const { callId, part } of this.waiting) {
      blocks.object().member('text', `Image returned by tool call ${callId}:`).endObject()
      this.showMedia(blocks, part)
    }
    this.waiting = []
  }

  private mark(blocks: JsonOut, mark: CacheMark | null, at: string): void {
    const taken = this.marks.take(mark, at)
    if (taken !== null) blocks.raw(cachePoint(taken))
  }

  private part(out: JsonOut, part: Part): void {
    switch (part.kind) {
      case 'text':
        this.text(out, part)
        return
      case 'refusal':
        this.plain(out, part.text, part)
        return
      case 'media':
        this.showMedia(out, part)
        return
      case 'search-result':
        this.searchResult(out, part)
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
        if (part.dialect === 'bedrock-converse') {
          out.raw(part.json)
          return
        }
        const text = this.writing.vendorText(part)
        if (text !== null && text.trim() !== '') this.plain(out, text, part)
      }
    }
  }

  private plain(out: JsonOut, text: string, part: Part): void {
    out.object().member('text', text).endObject()
    this.unknown(part)
  }

  /** Blocks have one member: what another dialect's part had beside it cannot be said. */
  private unknown(part: Part): void {
    if (!this.own) this.writing.loseExtras(part)
  }

  private text(out: JsonOut, part: TextPart): void {
    if (part.signature !== null) this.writing.lose('drop', part.at, 'text_signature')
    const guard = this.own ? part.extra.find(extra => extra.name === GUARD_EXTRA) : undefined
    if (guard !== undefined) {
      out.object().key('guardContent').object().key('text').object().member('text', part.text)
      if (guard.json !== 'null') out.memberRaw('qualifiers', guard.json)
      out.endObject().endObject().endObject()
      return
    }
    const citations = this.citations(part)
    if (citations.length === 0) {
      this.plain(out, part.text, part)
      return
    }
    out.object().key('citationsContent').object().key('content').array().object().member('text', part.text)
    out
      .endObject()
      .endArray()
      .memberRaw('citations', `[${citations.join(',')}]`)
      .endObject()
      .endObject()
    this.unknown(part)
  }

  private citations(part: TextPart): string[] {
    if (part.citations.length === 0) return []
    // A model cannot check an address it did not find itself; what points into the prompt it can.
    const known = part.citations.filter(
      citation => citation.dialect === 'bedrock-converse' || citation.kind !== 'url',
    )
    const said = this.claude ? known.map(citationJson).filter(json => json !== null) : []
    if (said.length < part.citations.length) this.writing.lose('drop', part.at, 'citations')
    return said
  }

  private call(out: JsonOut, call: CallPart): void {
    const input = call.custom ? `{"input":${JSON.stringify(call.input)}}` : argumentsObject(call.input)
    out.object().key('toolUse').object().member('toolUseId', this.writing.callId(call.id))
    out.member('name', this.writing.names.toTarget(call.name, call.namespace)).memberRaw('input', input)
    out.endObject().endObject()
    if (call.signature !== null) this.writing.lose('drop', call.at, 'call_signature')
    this.unknown(call)
  }

  private result(out: JsonOut, result: ResultPart): void {
    const callId = this.writing.callId(result.callId)
    let moved = false
    out.object().key('toolResult').object().member('toolUseId', callId)
    const content = new JsonOut().array()
    if (result.json !== null) this.json(content, result.json)
    for (const part of result.parts) {
      if (part.kind === 'media' && !this.resultTakes(part)) {
        moved = true
        this.waiting.push({ callId, part })
      } else this.resultEntry(content, part)
    }
    if (moved) this.writing.lose('emulate', result.at, 'media_after_result')
    if (content.text === '[' && !this.own) {
      if (!moved) this.writing.lose('emulate', result.at, 'empty_result')
      content
        .object()
        .member('text', moved ? '[image]' : EMPTY_RESULT_TEXT)
        .endObject()
    }
    out.memberRaw('content', content.endArray().text)
    out
      .member('status', result.failed ? 'error' : 'success')
      .endObject()
      .endObject()
    this.unknown(result)
  }

  private resultTakes(part: MediaPart): boolean {
    return this.own || part.media !== 'image' || this.writing.target.facts.resultImages
  }

  private resultEntry(out: JsonOut, part: Part): void {
    if (part.kind === 'text') {
      if (part.text.trim() !== '' || this.own) this.plain(out, part.text, part)
    } else if (part.kind === 'media' && part.media === 'audio') {
      this.writing.refuse(part.at, 'a tool result cannot hold audio here')
    } else if (part.kind === 'reasoning' || part.kind === 'call' || part.kind === 'result') {
      this.writing.lose('drop', part.at, `${part.kind}_in_result`)
    } else this.part(out, part)
  }

  /** The service takes objects; any other value goes as its text. */
  private json(out: JsonOut, json: string): void {
    if (json.startsWith('{')) out.object().memberRaw('json', json).endObject()
    else out.object().member('text', json).endObject()
  }

  private showMedia(out: JsonOut, part: MediaPart): void {
    this.media.write(out, part)
    this.unknown(part)
  }

  private reasoning(out: JsonOut, part: ReasoningPart): void {
    const { opaque } = part
    const text = part.sections.join('\n\n')
    if (opaque === null) {
      if (this.own || this.writing.target.facts.replayReasoning) reasoningText(out, text, null)
      else this.writing.lose('drop', part.at, 'unsigned_reasoning')
      return
    }
    // What a Converse client sends without an envelope is the service's own, whatever the account.
    const native = this.own && opaque.family === NATIVE_FAMILY['bedrock-converse']
    if (!native && !this.writing.takes(opaque, part.at)) return
    if (!this.own && !this.thinks) {
      this.writing.lose('drop', part.at, 'reasoning_is_off')
      return
    }
    if (opaque.kind !== 'redacted') reasoningText(out, text, opaque.value)
    else {
      out.object().key('reasoningContent').object().member('redactedContent', opaque.value)
      out.endObject().endObject()
    }
  }

  private searchResult(out: JsonOut, part: SearchResultPart): void {
    const texts = part.parts.map(piece => (piece.kind === 'text' ? piece.text : ''))
    const shown = texts.filter(text => text.trim() !== '')
    if (!this.claude || (shown.length === 0 && !this.own)) {
      this.writing.lose('map', part.at, 'search_result_as_text')
      this.plain(out, [part.title, part.url, ...shown].join('\n'), part)
      return
    }
    out.object().key('searchResult').object().member('source', part.url).member('title', part.title)
    out.key('content').array()
    for (const text of shown) out.object().member('text', text).endObject()
    out.endArray()
    if (part.cite) out.memberRaw('citations', '{"enabled":true}')
    out.endObject().endObject()
    this.unknown(part)
  }
}

function reasoningText(out: JsonOut, text: string, signature: string | null): void {
  out.object().key('reasoningContent').object().key('reasoningText').object().member('text', text)
  out.memberIf('signature', signature).endObject().endObject().endObject()
}

/**
 * Images, documents and sounds stand in user turns only: those of the model move to the user turn after it, behind
 * its results. Without such a turn they cannot be said.
 */
export function mediaToUser(turns: readonly PromptTurn[], writing: PromptWriting): PromptTurn[] {
  const moved: PromptTurn[] = []
  let waiting: Part[] = []
  for (const turn of turns) {
    if (turn.role === 'model') {
      const media = turn.parts.filter(part => part.kind === 'media')
      for (const part of media) writing.lose('emulate', part.at, 'media_moved_to_user_turn')
      waiting.push(...media)
      const rest = turn.parts.filter(part => part.kind !== 'media')
      moved.push(media.length === 0 ? turn : { ...turn, parts: rest })
    } else if (turn.role === 'user' && waiting.length > 0) {
      const results = turn.parts.filter(part => part.kind === 'result')
      const rest = turn.parts.filter(part => part.kind !== 'result')
      moved.push({ ...turn, parts: [...results, ...waiting, ...rest] })
      waiting = []
    } else moved.push(turn)
  }
  for (const part of waiting) writing.lose('drop', part.at, 'media_of_model')
  return moved
}
