// Media in prompts of OpenAI's two dialects, which take the same kinds and differ in their spelling. Refuses what no
// host of either can be given.

import { textOfBase64, titled } from './media.ts'
import { type MediaPart, type TextPart, textPart } from './prompt.ts'
import type { PromptWriting } from './prompt-writing.ts'

/** Refuses what the model does not take, and what lies where its vendor cannot reach it. */
export function checkMedia(part: MediaPart, writing: PromptWriting): void {
  const { source, media } = part
  const { facts } = writing.target
  if (source.kind === 'file' && source.dialect !== 'openai-chat' && source.dialect !== 'openai-responses') {
    writing.refuse(part.at, `the file ${source.id} is stored at another vendor`)
  }
  if (source.kind === 's3') writing.refuse(part.at, 'this model cannot read S3 locations')
  if (media === 'video') writing.refuse(part.at, 'this model takes no video')
  if (media === 'audio' && !facts.audio) writing.refuse(part.at, 'this model takes no audio')
  if (media === 'image' && !facts.images) writing.refuse(part.at, 'this model takes no images')
  if (media === 'image' && source.kind === 'url' && !facts.imageUrls)
    writing.refuse(part.at, 'this model takes images by value only, not by address')
}

/** A document whose bytes are text, as text; null for all others. */
export function documentText(part: MediaPart): TextPart | null {
  if (part.source.kind !== 'base64' || !part.mime?.startsWith('text/')) return null
  const text = textOfBase64(part.source.data)
  return text === null ? null : textPart(titled(part, text), part.at, part.cache)
}

/** What a client of another dialect said about a document has no place here. */
export function checkDocument(part: MediaPart, writing: PromptWriting): void {
  if (!writing.target.facts.documents) writing.refuse(part.at, 'this model takes no documents')
  if (part.context !== null) writing.lose('drop', part.at, 'document_context')
  if (part.cite) writing.lose('drop', part.at, 'document_citations')
}

export function audioFormat(part: MediaPart, writing: PromptWriting): string {
  const mpeg = part.mime === 'audio/mpeg' || part.mime === 'audio/mp3'
  const format = mpeg ? 'mp3' : (part.mime?.slice('audio/'.length) ?? 'wav')
  if (format !== 'wav' && format !== 'mp3') {
    writing.refuse(part.at, `found ${part.mime}, allowed is wav or mp3`)
  }
  return format
}
