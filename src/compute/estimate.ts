// What a count of tokens is, and the guess that needs no tokenizer. Cheap enough for every request on a shard.

export interface TokenCount {
  readonly tokens: number
  /** True when it is a guess: unknown tokenizer, a cut piece, or the byte estimate of a full queue. */
  readonly estimated: boolean
  /** Name of the encoding, or `bytes`. */
  readonly encoding: string
}

/** The usual figure for prose; the JSON around it makes the guess rather high than low. */
const BYTES_PER_TOKEN = 4

/** For admission: of the bytes of a body, what its tokens may be. */
export function estimateTokens(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_TOKEN)
}

export function byteEstimate(bytes: number): TokenCount {
  return { tokens: estimateTokens(bytes), estimated: true, encoding: 'bytes' }
}
