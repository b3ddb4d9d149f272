// The only door of the leaf.

export { ByteSearch } from './bytes/byte-search.ts'
export { DIALECTS, type Dialect, type DialectId, PATH_DIALECTS, type PathFacts } from './dialect.ts'
export { type EmbeddingsCalls, type EmbeddingsVendor, writeEmbeddingsCalls } from './embeddings/calls.ts'
export { type EmbeddingsPrompt, readEmbeddingsPrompt } from './embeddings/prompt.ts'
export { embeddingsReply } from './embeddings/reply.ts'
export type { HeaderFields, WrittenError } from './error-forms/form.ts'
export { readError, writeError } from './error-forms/whole.ts'
export type { ErrorKind, ErrorReply } from './errors.ts'
export { formatWarnings, type Loss, type LossAction } from './loss.ts'
export { mentionsEnvelope } from './opaque.ts'
export type { Part, PromptTurn, Tool } from './prompt.ts'
export { Prompt } from './prompt.ts'
export {
  type BodyFixups,
  type Change,
  fixBody,
  type FixedBody,
  insertMember,
  NO_FIXUPS,
  spliceBytes,
} from './relay/fix-body.ts'
export { type ForwardForm, forwardReply } from './relay/forward.ts'
export {
  elementRanges,
  memberRanges,
  type NamedRange,
  skipWhite,
  type ValueRange,
} from './relay/member-ranges.ts'
export { type RelayWish, relayReply } from './relay/reply.ts'
export { type RequestEdits, RequestScan, scanRequest, spliceRequest } from './relay/request.ts'
export { ReplyContext } from './reply-context.ts'
export type { ByteSink, ReplyFacts, ReplyPath, ReplyState } from './reply-path.ts'
export {
  type ModelFacts,
  type ReasoningStyle,
  type TargetFacts,
  targetFacts,
  UNKNOWN_MODEL,
} from './target.ts'
export type { IdRule } from './tool-names.ts'
export { TranslateError } from './translate-error.ts'
export type { Usage } from './usage.ts'
export {
  openReply,
  readPrompt,
  type ReplyWish,
  translatePrompt,
  writePrompt,
  type WrittenPrompt,
} from './pair.ts'
export { type InlineImage, type LinkedImage, linkedImages, takesLinks } from './linked-images.ts'
