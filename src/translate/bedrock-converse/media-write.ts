// Media of a prompt as Converse blocks. Owns their formats, where their bytes may come from, and names of documents.

import type { JsonOut } from '../bytes/json-out.ts'
import { mimeOfName, sniffedMime } from '../media.ts'
import type { MediaPart, MediaSource } from '../prompt.ts'
import type { PromptWriting } from '../prompt-writing.ts'
import { GUARD_EXTRA } from './content-read.ts'
import { DocumentNames } from './document-names.ts'
import { formatOfMime, formatsOf } from './wire.ts'

export class MediaWriter {
  private readonly writing: PromptWriting
  private readonly own: boolean
  private readonly names: DocumentNames

  constructor(writing: PromptWriting, own: boolean) {
    this.writing = writing
    this.own = own
    this.names = new DocumentNames(writing)
  }

  write(out: JsonOut, part: MediaPart): void {
    const { facts } = this.writing.target
    if (part.media === 'image' && !facts.images) this.writing.refuse(part.at, 'this model takes no images')
    if (part.media === 'document' && !facts.documents) {
      this.writing.refuse(part.at, 'this model takes no documents')
    }
    if (part.media === 'audio' && !facts.audio) this.writing.refuse(part.at, 'this model takes no audio')
    if (part.media === 'video' && !facts.video) this.writing.refuse(part.at, 'this model takes no video')
    this.checkSource(part)
    if (part.detail !== null && part.detail !== 'auto') this.writing.lose('drop', part.at, 'image_detail')
    const guarded = this.own && part.extra.some(extra => extra.name === GUARD_EXTRA)
    out.object()
    if (guarded) out.key('guardContent').object()
    out.key(part.media).object().memberIf('format', this.formatOf(part))
    if (part.media === 'document') out.member('name', this.documentName(part))
    out.key('source').object()
    this.source(out, part)
    out.endObject()
    if (part.media === 'document') {
      out.memberIf('context', part.context)
      if (part.cite) out.memberRaw('citations', '{"enabled":true}')
    }
    out.endObject().endObject()
    if (guarded) out.endObject()
  }

  private checkSource(part: MediaPart): void {
    const { source } = part
    if (source.kind === 'file') {
      this.writing.refuse(part.at, `the file ${source.id} is stored at another vendor`)
    }
    if (source.kind === 'url' && !isS3(source.url)) {
      this.writing.refuse(part.at, 'this model takes media by value or from S3, not by address')
    }
  }

  private documentName(part: MediaPart): string {
    if (this.own) return part.name ?? ''
    return this.names.nameFor(part.name ?? part.title, part.at)
  }

  private formatOf(part: MediaPart): string | null {
    const { source } = part
    if (source.kind === 'text' || source.kind === 'parts') {
      return formatOfMime(part.media, part.mime) ?? (this.own ? null : 'txt')
    }
    if (part.mime === null && this.own) return null
    const mime = part.mime ?? guessedMime(source)
    const format = formatOfMime(part.media, mime)
    if (format !== null) return format
    if (this.own) return mime!.slice(mime!.indexOf('/') + 1)
    this.writing.refuse(part.at, `found ${mime ?? 'no type'}, allowed is ${formatsOf(part.media)}`)
  }

  private source(out: JsonOut, part: MediaPart): void {
    const { source } = part
    switch (source.kind) {
      case 'base64':
        out.member('bytes', source.data)
        return
      case 's3':
        s3Location(out, source.uri, source.owner)
        return
      case 'text':
        out.member('text', source.text)
        return
      case 'parts': {
        const texts = source.parts.filter(piece => piece.kind === 'text' && piece.text.trim() !== '')
        if (texts.length < source.parts.length) this.writing.lose('drop', part.at, 'parts_of_document')
        out.key('content').array()
        for (const piece of texts)
          out
            .object()
            .member('text', piece.kind === 'text' ? piece.text : '')
            .endObject()
        out.endArray()
        return
      }
      case 'url':
        s3Location(out, source.url, null)
        return
      case 'file':
        return
    }
  }
}

function isS3(url: string): boolean {
  return /^s3:\/\//i.test(url)
}

function guessedMime(source: MediaSource): string | null {
  if (source.kind === 'base64') return sniffedMime(source.data)
  if (source.kind === 's3') return mimeOfName(source.uri)
  return source.kind === 'url' ? mimeOfName(source.url) : null
}

function s3Location(out: JsonOut, uri: string, owner: string | null): void {
  out.key('s3Location').object().member('uri', uri).memberIf('bucketOwner', owner).endObject()
}
