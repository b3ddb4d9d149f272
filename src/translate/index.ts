// The only door of the leaf.

export { DIALECTS, type DialectId } from './dialect.ts'
export type { ErrorKind, ErrorReply } from './errors.ts'
