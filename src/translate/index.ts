// The only door of the leaf.

export { DIALECTS, type DialectId } from './dialect.ts'
export type { ErrorKind, ErrorReply } from './errors.ts'
export type { ByteSink, ReplyFacts, ReplyPath, ReplyState } from './reply-path.ts'
export type { Usage } from './usage.ts'
