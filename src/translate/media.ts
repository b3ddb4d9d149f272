// What sounds, images and documents are called: data URLs, media types, file name endings. Shared by the prompt
// readers and writers of all dialects. Nothing is decoded unless its own encoding makes it necessary.

import {
  mediaPart,
  type CacheMark,
  type MediaKind,
  type MediaPart,
  type MediaSource,
  type SearchResultPart,
} from './prompt.ts'
import { wordTable } from './word-table.ts'

const DATA_URL = /^data:([^,;]*)((?:;[^,;]*)*),/i

export interface DataUrl {
  readonly mime: string
  readonly data: string
}

/** Splits a data URL. Payloads that are not base64 are encoded as such. Null when it is none. */
export function readDataUrl(url: string): DataUrl | null {
  const match = DATA_URL.exec(url)
  if (match === null) return null
  const mime = normalMime(match[1] === '' ? 'text/plain' : match[1]!)
  const payload = url.slice(match[0].length)
  if (/;base64$/i.test(match[2] ?? ''))
    return { mime, data: payload.includes('%') ? percentDecoded(payload) : payload }
  return { mime, data: btoa(percentDecodedBytes(payload)) }
}

function percentDecoded(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** Percent-decoded text as one character per byte, which is what `btoa` takes. */
function percentDecodedBytes(text: string): string {
  let binary = ''
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte)
  return percentDecoded(binary)
}

export function dataUrl(mime: string, base64: string): string {
  return `data:${mime};base64,${base64}`
}

export function normalMime(mime: string): string {
  const lower = mime.trim().toLowerCase()
  return lower === 'image/jpg' ? 'image/jpeg' : lower
}

const MIME_BY_ENDING: Readonly<Record<string, string>> = wordTable({
  pdf: 'application/pdf',
  txt: 'text/plain',
  md: 'text/markdown',
  csv: 'text/csv',
  html: 'text/html',
  htm: 'text/html',
  json: 'application/json',
  doc: 'application/msword',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  xls: 'application/vnd.ms-excel',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  wav: 'audio/wav',
  mp3: 'audio/mpeg',
  mp4: 'video/mp4',
})

export function mimeOfName(name: string | null): string | null {
  const ending = name === null ? undefined : /\.([A-Za-z0-9]+)$/.exec(name)?.[1]
  return ending === undefined ? null : (MIME_BY_ENDING[ending.toLowerCase()] ?? null)
}

/** Media type of base64 data by its first bytes, for clients that name none. */
export function sniffedMime(base64: string): string | null {
  if (base64.startsWith('JVBERi')) return 'application/pdf'
  if (base64.startsWith('iVBORw0KGgo')) return 'image/png'
  if (base64.startsWith('/9j/')) return 'image/jpeg'
  if (base64.startsWith('R0lGOD')) return 'image/gif'
  if (base64.startsWith('UklGR')) return 'image/webp'
  return null
}

export function mediaKindOf(mime: string | null): MediaKind {
  if (mime?.startsWith('image/')) return 'image'
  if (mime?.startsWith('audio/')) return 'audio'
  if (mime?.startsWith('video/')) return 'video'
  return 'document'
}

/** Text of a base64 text document, or null when it is not UTF-8. */
export function textOfBase64(base64: string): string | null {
  try {
    const binary = atob(base64)
    const bytes = new Uint8Array(binary.length)
    for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index)
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return null
  }
}

/** An image given by address or as a data URL. */
export function imageOfUrl(
  url: string,
  at: string,
  detail: string | null,
  cache: CacheMark | null,
): MediaPart {
  const inline = readDataUrl(url)
  const source: MediaSource = inline === null ? { kind: 'url', url } : { kind: 'base64', data: inline.data }
  return mediaPart('image', inline?.mime ?? null, source, at, { detail, cache })
}

/** A file given as a data URL or bare base64, with the name that may tell its type. */
export function fileOfData(
  fileData: string,
  name: string | null,
  at: string,
  cache: CacheMark | null,
): MediaPart {
  const inline = readDataUrl(fileData)
  const data = inline?.data ?? fileData
  const declared = inline === null || inline.mime === 'application/octet-stream' ? null : inline.mime
  const mime = declared ?? mimeOfName(name) ?? sniffedMime(data)
  return mediaPart(mediaKindOf(mime), mime, { kind: 'base64', data }, at, { name, cache })
}

/** What the client said about a document, headed by its name, and the text given; '' when nothing. */
export function titled(part: MediaPart, text: string): string {
  return [part.title ?? part.name, part.context, text].filter(line => line !== null && line !== '').join('\n')
}

/** The bytes of a part that has them in place, as base64. */
export function inline(part: MediaPart): string {
  return part.source.kind === 'base64' ? part.source.data : ''
}

export function searchResultText(part: SearchResultPart): string {
  const texts = part.parts.map(piece => (piece.kind === 'text' ? piece.text : ''))
  return [part.title, part.url, ...texts].join('\n')
}
