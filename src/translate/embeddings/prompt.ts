// What a caller of `/v1/embeddings` asks for. Owns reading the body and its bounds; refuses what only OpenAI's own
// models understand (token ids).

import { JsonArray, type JsonObject, readBody, wrongKind } from '../bytes/json-tree.ts'
import { LossList } from '../loss.ts'
import { TranslateError } from '../translate-error.ts'

/** The most texts that OpenAI takes in one call. */
const INPUTS_MAX = 2048

/** What a text is for, where the model makes a difference; Cohere's words, which compatible hosts share. */
const PURPOSES = ['search_document', 'search_query', 'classification', 'clustering'] as const
export type Purpose = (typeof PURPOSES)[number]

const KNOWN: ReadonlySet<string> = new Set(['model', 'input', 'dimensions', 'encoding_format', 'input_type'])

export interface EmbeddingsPrompt {
  readonly inputs: readonly string[]
  readonly dimensions: number | null
  /** Vectors are answered as base64 of little-endian 32-bit floats; otherwise as numbers. */
  readonly base64: boolean
  /** Null where the caller does not say. */
  readonly purpose: Purpose | null
  readonly losses: LossList
}

/** Throws `TranslateError`. */
export function readEmbeddingsPrompt(body: Uint8Array): EmbeddingsPrompt {
  const root = readBody(body)
  const losses = new LossList()
  for (const { name } of root.extras(KNOWN)) losses.add('drop', root.pointerOf(name), 'no_equivalent')
  return {
    inputs: readInputs(root),
    dimensions: readDimensions(root),
    base64: readEncoding(root),
    purpose: readPurpose(root, losses),
    losses,
  }
}

function readInputs(root: JsonObject): readonly string[] {
  const input = root.get('input')
  const texts = typeof input === 'string' ? [input] : readList(root.requiredArray('input'))
  if (texts.length === 0 || texts.length > INPUTS_MAX) {
    throw new TranslateError(
      'invalid',
      `input: found ${texts.length} texts, allowed are 1 to ${INPUTS_MAX}`,
      'input',
    )
  }
  const empty = texts.indexOf('')
  if (empty === -1) return texts
  const at = typeof input === 'string' ? 'input' : `input[${empty}]`
  throw new TranslateError('invalid', `${at}: a text must not be empty`, at)
}

function readList(list: JsonArray): readonly string[] {
  const [first] = list.values
  if (typeof first === 'number' || first instanceof JsonArray) {
    throw new TranslateError(
      'unsupported',
      "input: token ids belong to one vendor's models; send the text itself to this one",
      'input',
      'unsupported_value',
    )
  }
  return list.strings()
}

function readDimensions(root: JsonObject): number | null {
  const dimensions = root.integer('dimensions')
  if (dimensions !== null && dimensions < 1) throw root.refuse('dimensions', 'a positive integer')
  return dimensions
}

function readEncoding(root: JsonObject): boolean {
  const encoding = root.string('encoding_format') ?? 'float'
  if (encoding !== 'float' && encoding !== 'base64')
    throw root.refuse('encoding_format', '"float" or "base64"')
  return encoding === 'base64'
}

function readPurpose(root: JsonObject, losses: LossList): Purpose | null {
  const asked = root.string('input_type')
  if (asked === null) return null
  const purpose = PURPOSES.find(known => known === asked)
  if (purpose === undefined) losses.add('drop', root.pointerOf('input_type'), 'unknown_value')
  return purpose ?? null
}

/** A vector of another length than asked for is of no use to anybody, so this is no loss but a refusal. */
export function refuseDimensions(dimensions: number, allowed: string): TranslateError {
  return wrongKind('dimensions', dimensions, allowed)
}
