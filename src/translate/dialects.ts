// The dialects there are. One line per folder.

import { anthropicMessages } from './anthropic-messages/dialect.ts'
import { bedrockConverse } from './bedrock-converse/dialect.ts'
import type { Dialect, DialectId } from './dialect.ts'
import { geminiGenerate } from './gemini-generate/dialect.ts'
import { openaiChat } from './openai-chat/dialect.ts'
import { openaiResponses } from './openai-responses/dialect.ts'

export const DIALECT_TABLE: Partial<Record<DialectId, Dialect>> = {
  'openai-chat': openaiChat,
  'openai-responses': openaiResponses,
  'anthropic-messages': anthropicMessages,
  'bedrock-converse': bedrockConverse,
  'gemini-generate': geminiGenerate,
}
