// The canonical token record. Facts: `wire-formats` specification, section 2.11.

/** Token counts of one reply. Inclusive unless named otherwise; null where the upstream said nothing. */
export interface Usage {
  /** All input, cached parts included. */
  readonly inputTokens: number
  /** Part of `inputTokens` read from a prompt cache. */
  readonly cacheReadTokens: number
  /** Part of `inputTokens` written to a prompt cache. */
  readonly cacheWriteTokens: number
  /** Part of `cacheWriteTokens` with the long lifetime (1 h, 12 h), or null. */
  readonly cacheWriteLongTokens: number | null
  /** All output, reasoning included. */
  readonly outputTokens: number
  /** Part of `outputTokens` spent on reasoning, or null. */
  readonly reasoningTokens: number | null
  readonly audioInputTokens: number | null
  readonly audioOutputTokens: number | null
  /** Parts of input and output that are pictures; absent where nothing was told of any, as almost everywhere. */
  readonly imageInputTokens?: number
  readonly imageOutputTokens?: number
  /** What some endpoints count beside tokens, or in their place: seconds of sound, searches. Absent elsewhere. */
  readonly seconds?: number
  readonly searches?: number
  /** True when counted or guessed by us rather than told by the upstream. */
  readonly estimated: boolean
}
