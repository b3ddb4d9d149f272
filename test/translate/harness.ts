// What every suite of the leaf shares: fixtures by dialect, targets, and small ways to drive readers and writers.
// A new dialect joins all suites by its folder under test/fixtures and a line in `ENDINGS`.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ByteOut } from '../../src/translate/bytes/byte-out.ts'
import { TurnCollector } from '../../src/translate/collect.ts'
import type { Dialect, DialectId } from '../../src/translate/dialect.ts'
import { DIALECT_TABLE } from '../../src/translate/dialects.ts'
import { EventStreamReader, writeFrame } from '../../src/translate/framing/event-stream.ts'
import { openReply } from '../../src/translate/pair.ts'
import { NATIVE_FAMILY } from '../../src/translate/opaque.ts'
import { ReplyContext } from '../../src/translate/reply-context.ts'
import type { ReplyFacts } from '../../src/translate/reply-path.ts'
import { type ModelFacts, type TargetFacts, targetFacts, UNKNOWN_MODEL } from '../../src/translate/target.ts'
import { CheckingSink } from '../../src/translate/turn-check.ts'

/** Sources and build have different depths; the fixtures are in the sources. */
const FIXTURES = ['../fixtures/', '../../../test/fixtures/']
  .map(place => new URL(place, import.meta.url).pathname)
  .find(existsSync)!
const GOLDENS = new URL('../golden/', import.meta.url).pathname

export const dialects: readonly Dialect[] = Object.values(DIALECT_TABLE)

/**
 * How the bytes of a stream say that it ended well: no prefix may be read as complete, and no output may look
 * complete, unless this matches.
 */
export const ENDINGS: Readonly<Record<DialectId, RegExp>> = {
  'openai-chat': /"finish_reason":\s*"|data: ?\[DONE\]/,
  'openai-responses': /"type":\s*"response\.(completed|incomplete)"/,
  'anthropic-messages': /"type":\s*"message_stop"\s*\}/,
  'bedrock-converse': /messageStop/,
  'gemini-generate': /"(finishReason|blockReason)":\s*"/,
}

/** The marks only a success may carry in what we write. */
export const SUCCESS_MARKS: Readonly<Record<DialectId, RegExp>> = {
  ...ENDINGS,
  'openai-chat': /data: \[DONE\]/,
  'bedrock-converse': /metadata/,
}

export interface Fixture {
  readonly name: string
  readonly bytes: Uint8Array
}

function load(dialect: DialectId, kind: string): Fixture[] {
  const folder = join(FIXTURES, dialect, kind)
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .sort()
    .map(file => {
      const bytes = new Uint8Array(readFileSync(join(folder, file)))
      const name = file.replace(/\.\w+$/, '')
      return { name, bytes: file.endsWith('.frames') ? framed(new TextDecoder().decode(bytes)) : bytes }
    })
}

export const prompts = (dialect: DialectId): Fixture[] => load(dialect, 'prompts')
export const replies = (dialect: DialectId): Fixture[] => load(dialect, 'replies')
export const streams = (dialect: DialectId): Fixture[] => load(dialect, 'streams')

/** Binary frames from lines of `event <name> <json>`. */
export function framed(text: string): Uint8Array {
  const out = new ByteOut()
  for (const line of text.split('\n').filter(line => line !== '' && !line.startsWith('#'))) {
    const [kind, name, ...json] = line.split(' ')
    writeFrame(out, kind as 'event' | 'exception', name!, json.join(' '))
  }
  return out.take()
}

/** Bytes of a stream as text a reader of goldens can take in: binary frames as lines. */
export function legible(dialect: DialectId, bytes: Uint8Array): string {
  if (dialect !== 'bedrock-converse') return new TextDecoder().decode(bytes)
  const lines: string[] = []
  const reader = new EventStreamReader({
    frame: (kind, name, payload) => lines.push(`${kind} ${name} ${new TextDecoder().decode(payload)}`),
    broken: message => lines.push(`broken ${message}`),
  })
  reader.write(bytes)
  return `${lines.join('\n')}\n`
}

/** A model that can do what its dialect can say. */
export const ABLE_MODEL: ModelFacts = {
  ...UNKNOWN_MODEL,
  outputTokensMax: 64_000,
  reasoning: 'effort',
  efforts: ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'],
  verbosity: true,
  audio: true,
  customTools: true,
  midSystem: true,
  prefill: true,
  choicesMax: 8,
}

const ABLE: Readonly<Record<DialectId, Partial<ModelFacts>>> = {
  'openai-chat': {},
  'openai-responses': { choicesMax: 1, webSearch: 'web_search' },
  'anthropic-messages': { reasoning: 'adaptive', efforts: ['low', 'medium', 'high', 'max'], choicesMax: 1 },
  'bedrock-converse': {
    reasoning: 'adaptive',
    efforts: ['low', 'medium', 'high', 'max'],
    choicesMax: 1,
    video: true,
    vendorFields: 'anthropic',
  },
  'gemini-generate': {
    reasoning: 'level',
    efforts: ['minimal', 'low', 'medium', 'high'],
    stopsMax: 5,
    midSystem: false,
    video: true,
    webSearch: 'googleSearch',
  },
}

export function ableTarget(upstream: DialectId, more: Partial<ModelFacts> = {}): TargetFacts {
  return targetFacts('target-model', NATIVE_FAMILY[upstream], {
    facts: { ...ABLE_MODEL, ...ABLE[upstream], ...more },
    firstParty: true,
    dearTiers: true,
  })
}

export function contextFor(client: DialectId, upstream: DialectId): ReplyContext {
  const context = new ReplyContext(client, upstream)
  context.nowS = 1_764_000_000
  context.idSeed = 'exchange-1'
  context.wantReasoningDetails = true
  context.wantEncryptedReasoning = true
  return context
}

export interface Translated {
  readonly bytes: Uint8Array
  readonly facts: ReplyFacts
}

/** Drives one reply through a pair in the given pieces. */
export function translateReply(
  client: DialectId,
  upstream: DialectId,
  streaming: boolean,
  pieces: readonly Uint8Array[],
  context = contextFor(client, upstream),
): Translated {
  const out = new ByteOut()
  const sink = { write: (bytes: Uint8Array) => out.bytes(bytes) }
  const path = openReply({ client, upstream, streaming, context, out: sink })
  for (const piece of pieces) path.write(piece)
  path.end()
  return { bytes: out.take(), facts: path.facts }
}

/** Reads a reply of a dialect into records, checking that the reader speaks the grammar of turns. */
export function collected(
  dialect: Dialect,
  streaming: boolean,
  pieces: readonly Uint8Array[],
): TurnCollector {
  const collector = new TurnCollector()
  const checking = new CheckingSink(collector)
  const context = contextFor(dialect.id, dialect.id)
  const reader = streaming ? dialect.streamReader(checking, context) : dialect.replyReader(checking, context)
  for (const piece of pieces) reader.write(piece)
  reader.end()
  if (!checking.over) throw new Error('the reader left the turn open')
  return collector
}

/** A turn as plain values: what a client can tell apart. */
export function summary(turn: TurnCollector): unknown {
  return {
    error: turn.error === null ? null : turn.error.kind,
    usage: turn.usageTold ?? turn.head?.usage ?? null,
    choices: turn.choices.map(choice => ({
      reason: choice.finish?.reason ?? null,
      stopText: choice.finish?.stopText ?? null,
      parts: choice.parts
        .filter(part => part.kind !== 'vendor' && part.kind !== 'media')
        .map(part => ({
          kind: part.kind,
          text: part.kind === 'reasoning' ? part.sections : part.text,
          input: part.input,
          call:
            part.call === null ? null : { id: part.call.id, name: part.call.name, custom: part.call.custom },
          opaque: part.opaque,
          cited: part.citations.map(citation => ({ url: citation.url, title: citation.title })),
          logprobs: part.logprobs,
        })),
    })),
  }
}

/** Compares with a stored file; writes it when UPDATE_GOLDENS is set. Returns the stored text. */
export function golden(folder: string, file: string, actual: string): string {
  const path = join(GOLDENS, folder, file)
  if (process.env['UPDATE_GOLDENS'] === '1') {
    mkdirSync(join(GOLDENS, folder), { recursive: true })
    writeFileSync(path, actual)
  }
  return existsSync(path) ? readFileSync(path, 'utf8') : '(no golden; run with UPDATE_GOLDENS=1)'
}

export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
