// The calls that one request for embeddings becomes at a vendor without OpenAI's interface: how many texts a call takes,
// and how it is written. Facts: the vendors' API references.

import { JsonOut } from '../bytes/json-out.ts'
import { TranslateError } from '../translate-error.ts'
import { type EmbeddingsPrompt, type Purpose, refuseDimensions } from './prompt.ts'

export type EmbeddingsVendor = 'gemini' | 'vertex' | 'bedrock'

/** How a call is written and its reply read. */
export type EmbeddingsForm = 'gemini' | 'vertex' | 'titan' | 'cohere'

export interface EmbeddingsCalls {
  readonly form: EmbeddingsForm
  /** One body per call, in the order of the texts. */
  readonly bodies: readonly Uint8Array[]
  /** Texts per call; the last one may have fewer. */
  readonly textsPerCall: number
}

/** Gemini takes a hundred texts in a batch. */
const GEMINI_TEXTS_MAX = 100
/** Vertex takes 250, and 20,000 tokens in all: fewer texts meet that bound less often. */
const VERTEX_TEXTS_MAX = 50
/** Cohere's own bound. */
const COHERE_TEXTS_MAX = 96

const GEMINI_TASKS: Readonly<Record<Purpose, string>> = {
  search_document: 'RETRIEVAL_DOCUMENT',
  search_query: 'RETRIEVAL_QUERY',
  classification: 'CLASSIFICATION',
  clustering: 'CLUSTERING',
}

const encoder = new TextEncoder()

/** Throws `TranslateError` for what the model cannot do. `model` is the id at the provider. */
export function writeEmbeddingsCalls(
  vendor: EmbeddingsVendor,
  prompt: EmbeddingsPrompt,
  model: string,
): EmbeddingsCalls {
  const writer = writerFor(vendor, model)
  const { form, textsPerCall } = writer
  const bodies: Uint8Array[] = []
  for (let at = 0; at < prompt.inputs.length; at += textsPerCall) {
    bodies.push(encoder.encode(writer.write(prompt, prompt.inputs.slice(at, at + textsPerCall))))
  }
  return { form, bodies, textsPerCall }
}

interface CallWriter {
  readonly form: EmbeddingsForm
  readonly textsPerCall: number
  write(prompt: EmbeddingsPrompt, texts: readonly string[]): string
}

function writerFor(vendor: EmbeddingsVendor, model: string): CallWriter {
  if (vendor === 'gemini') {
    return {
      form: 'gemini',
      textsPerCall: GEMINI_TEXTS_MAX,
      write: (prompt, texts) => gemini(prompt, texts, model),
    }
  }
  if (vendor === 'vertex') {
    // The newer models take one text.
    const textsPerCall = /gemini-embedding/.test(model) ? 1 : VERTEX_TEXTS_MAX
    return { form: 'vertex', textsPerCall, write: vertex }
  }
  if (/titan-embed/.test(model)) {
    return { form: 'titan', textsPerCall: 1, write: (prompt, texts) => titan(prompt, texts[0]!, model) }
  }
  if (/cohere\.embed/.test(model)) {
    return {
      form: 'cohere',
      textsPerCall: COHERE_TEXTS_MAX,
      write: (prompt, texts) => cohere(prompt, texts, model),
    }
  }
  throw new TranslateError(
    'not_found',
    'the model makes no embeddings that are known here; on Bedrock those of Titan and Cohere do',
    'model',
    'model_not_found',
  )
}

function gemini(prompt: EmbeddingsPrompt, texts: readonly string[], model: string): string {
  const name = model.startsWith('models/') ? model : `models/${model}`
  const out = new JsonOut().object().key('requests').array()
  for (const text of texts) {
    out.object().member('model', name)
    out.key('content').object().key('parts').array()
    out.object().member('text', text).endObject().endArray().endObject()
    if (prompt.purpose !== null) out.member('taskType', GEMINI_TASKS[prompt.purpose])
    out.memberIf('outputDimensionality', prompt.dimensions).endObject()
  }
  return out.endArray().endObject().text
}

function vertex(prompt: EmbeddingsPrompt, texts: readonly string[]): string {
  const out = new JsonOut().object().key('instances').array()
  for (const text of texts) {
    out.object().member('content', text)
    if (prompt.purpose !== null) out.member('task_type', GEMINI_TASKS[prompt.purpose])
    out.endObject()
  }
  out.endArray()
  if (prompt.dimensions !== null) {
    out.key('parameters').object().member('outputDimensionality', prompt.dimensions).endObject()
  }
  return out.endObject().text
}

function titan(prompt: EmbeddingsPrompt, text: string, model: string): string {
  const { dimensions } = prompt
  if (prompt.purpose !== null) prompt.losses.add('drop', '/input_type', 'no_equivalent')
  const out = new JsonOut().object().member('inputText', text)
  if (dimensions === null) return out.endObject().text
  if (/embed-text-v1/.test(model)) throw refuseDimensions(dimensions, 'none: the model has one length only')
  if (/embed-image/.test(model)) {
    out.key('embeddingConfig').object().member('outputEmbeddingLength', dimensions).endObject()
  } else out.member('dimensions', dimensions)
  return out.endObject().text
}

function cohere(prompt: EmbeddingsPrompt, texts: readonly string[], model: string): string {
  const { dimensions } = prompt
  const out = new JsonOut().object().key('texts').array()
  for (const text of texts) out.value(text)
  out.endArray().member('input_type', prompt.purpose ?? 'search_document')
  out.key('embedding_types').array().value('float').endArray()
  if (dimensions !== null) {
    if (/embed-(?:english|multilingual)/.test(model)) {
      throw refuseDimensions(dimensions, 'none: the model has one length only')
    }
    out.member('output_dimension', dimensions)
  }
  return out.endObject().text
}
