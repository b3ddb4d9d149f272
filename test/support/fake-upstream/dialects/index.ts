// The dialects the fake upstream speaks, by id.

import type { DialectId } from '../../../../src/translate/index.ts'
import type { FakeDialect } from '../types.ts'
import { anthropicMessages } from './anthropic-messages.ts'
import { bedrockConverse } from './bedrock-converse.ts'
import { geminiGenerate } from './gemini-generate.ts'
import { openaiChat } from './openai-chat.ts'
import { openaiResponses } from './openai-responses.ts'

export const FAKE_DIALECTS: Record<DialectId, FakeDialect> = {
  'openai-chat': openaiChat,
  'openai-responses': openaiResponses,
  'anthropic-messages': anthropicMessages,
  'bedrock-converse': bedrockConverse,
  'gemini-generate': geminiGenerate,
}

const ALL = Object.values(FAKE_DIALECTS)

export function dialectOf(method: string, path: string): FakeDialect | null {
  const bare = path.includes('?') ? path.slice(0, path.indexOf('?')) : path
  return ALL.find(dialect => dialect.matches(method, bare)) ?? null
}
