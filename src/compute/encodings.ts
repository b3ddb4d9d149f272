// Which encoding a model counts with, and the tokenizers themselves, loaded when first asked for. Owns the one
// place that imports rank tables: they must be loaded in the compute pool only, where their cost delays nobody.

import type { RankSource } from './rank-table.ts'
import type { Tokenizer } from './tokenizer.ts'

export type EncodingName = 'o200k_base' | 'cl100k_base' | 'p50k_base' | 'p50k_edit' | 'r50k_base'

export interface ModelEncoding {
  readonly encoding: EncodingName
  /** False when the model's own tokenizer is not published and this encoding stands in for it. */
  readonly known: boolean
}

/** Newest and widest vocabulary: the least wrong for models that publish none. */
export const STAND_IN: ModelEncoding = { encoding: 'o200k_base', known: false }

/**
 * Beginnings of model names, the first that fits. As in tiktoken's own table; `o200k_harmony` of the open models
 * has the vocabulary of `o200k_base` and differs in special tokens only, which are text here.
 */
const BEGINNINGS: readonly (readonly [RegExp, EncodingName])[] = [
  [/^(?:gpt-4o|chatgpt-4o|gpt-4\.[15]|gpt-5|gpt-oss|o[134])(?![0-9a-z])/, 'o200k_base'],
  [/^(?:gpt-4|gpt-3\.5|gpt-35)(?![0-9a-z])/, 'cl100k_base'],
  [/^(?:text-embedding-(?:ada-002|3-small|3-large)|davinci-002|babbage-002)$/, 'cl100k_base'],
  [/^(?:text|code)-davinci-edit-001$/, 'p50k_edit'],
  [/^(?:text-davinci-00[23]|code-(?:davinci|cushman)-00[12]|davinci-codex|cushman-codex)$/, 'p50k_base'],
  [/^(?:text|code)-(?:similarity|search)-(?:ada|babbage|curie|davinci)-/, 'r50k_base'],
  [/^(?:(?:text-)?(?:ada|babbage|curie|davinci)(?:-001)?|gpt-?2)$/, 'r50k_base'],
]

/** Longer names are no names; nothing below looks at more. */
const NAME_UNITS_MAX = 256

/** `openai/gpt-4o`, `us.openai.gpt-oss-120b-1:0` and `ft:gpt-4o-mini:team::id` are called by their bare names. */
export function bareModel(model: string): string {
  return model
    .slice(0, NAME_UNITS_MAX)
    .toLowerCase()
    .replace(/^.*\//, '')
    .replace(/^(?:[a-z-]+\.)?openai\.|^ft:/, '')
    .replace(/:.*$/, '')
}

export function encodingOf(model: string): ModelEncoding {
  const bare = bareModel(model)
  for (const [beginning, encoding] of BEGINNINGS) {
    if (beginning.test(bare)) return { encoding, known: true }
  }
  return STAND_IN
}

const SOURCES: Readonly<Record<EncodingName, () => Promise<{ default: RankSource }>>> = {
  o200k_base: () => import('js-tiktoken/ranks/o200k_base'),
  cl100k_base: () => import('js-tiktoken/ranks/cl100k_base'),
  p50k_base: () => import('js-tiktoken/ranks/p50k_base'),
  p50k_edit: () => import('js-tiktoken/ranks/p50k_edit'),
  r50k_base: () => import('js-tiktoken/ranks/r50k_base'),
}

const loaded = new Map<EncodingName, Promise<Tokenizer>>()

/** One per encoding and thread. The tokenizer's own tables, too, are made only where one is asked for. */
export function tokenizerOf(encoding: EncodingName): Promise<Tokenizer> {
  let tokenizer = loaded.get(encoding)
  if (tokenizer === undefined) {
    tokenizer = load(encoding)
    loaded.set(encoding, tokenizer)
  }
  return tokenizer
}

async function load(encoding: EncodingName): Promise<Tokenizer> {
  const { Tokenizer } = await import('./tokenizer.ts')
  return new Tokenizer((await SOURCES[encoding]()).default)
}

/** Encodings this thread has loaded so far. */
export function loadedEncodings(): readonly EncodingName[] {
  return [...loaded.keys()]
}
