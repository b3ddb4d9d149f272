// Translation of a prompt in another thread, as plain data both ways. Owns the form in which a written prompt, the
// way back for its reply, and a refusal cross between threads; the work is the leaf's.

import {
  type DialectId,
  type InlineImage,
  type Loss,
  type PathFacts,
  ReplyContext,
  type TargetFacts,
  TranslateError,
  translatePrompt,
  type WrittenPrompt,
} from '../translate/index.ts'

export interface TranslateWish {
  readonly client: DialectId
  readonly upstream: DialectId
  readonly body: Uint8Array
  readonly target: TargetFacts
  readonly strict: boolean
  readonly path: PathFacts | null
  readonly images: readonly InlineImage[]
}

/** What crosses back: one of the two. */
export interface TranslatedData {
  readonly written: {
    readonly body: Uint8Array
    readonly losses: readonly Loss[]
    readonly context: ReturnType<ReplyContext['toData']>
  } | null
  readonly refused: TranslateError['reply'] | null
}

/** In the pool. Throws only for bugs. */
export function translateToData(wish: TranslateWish): TranslatedData {
  const { client, upstream, body, target, strict, path, images } = wish
  try {
    const written = translatePrompt(client, upstream, body, target, strict, path, images)
    const context = written.context.toData()
    return { written: { body: alone(written.body), losses: written.losses, context }, refused: null }
  } catch (thrown) {
    if (thrown instanceof TranslateError) return { written: null, refused: thrown.reply }
    throw thrown
  }
}

/** On the shard: returns or throws what the leaf would have, had it been called here. */
export function translatedFromData({ written, refused }: TranslatedData): WrittenPrompt {
  if (written !== null) {
    return { body: written.body, losses: written.losses, context: ReplyContext.fromData(written.context) }
  }
  const { kind, message, param, code } = refused!
  throw new TranslateError(kind, message, param, code)
}

/** The same bytes in a buffer that holds nothing else, so that it can be handed over whole. */
function alone(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice()
}
