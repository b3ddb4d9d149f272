// The names of the wire protocols. Everything that is keyed by protocol is keyed by these.

export const DIALECTS = [
  'openai-chat',
  'openai-responses',
  'anthropic-messages',
  'bedrock-converse',
  'gemini-generate',
] as const

export type DialectId = (typeof DIALECTS)[number]
