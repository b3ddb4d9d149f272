// Counts a request body. Owns the choice of reader and what happens to bodies that are none. Never throws: what is
// not JSON is text, and what no reader finds anything in is searched for text.

import type { DialectId } from '../../translate/index.ts'
import { bareModel, encodingOf, tokenizerOf } from '../encodings.ts'
import type { TokenCount } from '../estimate.ts'
import { Work } from '../tokenizer.ts'
import { countedMessages } from './anthropic-messages.ts'
import { countedConverse } from './bedrock-converse.ts'
import { CountedPrompt, type Members, membersOf } from './counted.ts'
import { countedGemini } from './gemini-generate.ts'
import { countedChat } from './openai-chat.ts'
import { countedResponses } from './openai-responses.ts'
import { tally } from './rules.ts'

const READERS: Readonly<Record<DialectId, (body: Members) => CountedPrompt>> = {
  'openai-chat': countedChat,
  'openai-responses': countedResponses,
  'anthropic-messages': countedMessages,
  'gemini-generate': countedGemini,
  'bedrock-converse': countedConverse,
}

/**
 * What one body may cost: sixteen million units of text, or a quarter of it where every byte must be merged. That
 * is three million tokens of prose, more than any model takes, and two seconds of a thread at worst; the rest of
 * a longer body is estimated by what came before it.
 */
const WORK_UNITS_MAX = 16 * 1024 * 1024

export async function countBody(model: string, dialect: DialectId, body: Uint8Array): Promise<TokenCount> {
  const encoding = encodingOf(model)
  const tokenizer = await tokenizerOf(encoding.encoding)
  const subject = { model: bareModel(model), encoding, tokenizer, work: new Work(WORK_UNITS_MAX) }
  const { tokens, estimated } = tally(promptOf(dialect, body), subject)
  return { tokens, estimated, encoding: encoding.encoding }
}

function promptOf(dialect: DialectId, body: Uint8Array): CountedPrompt {
  const text = new TextDecoder().decode(body)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = text
  }
  const members = membersOf(value)
  if (members !== null) {
    const prompt = READERS[dialect](members)
    if (prompt.messages.length + prompt.loose.length + prompt.tools.length > 0) return prompt
  }
  const prompt = new CountedPrompt()
  prompt.oddity(value, prompt.loose)
  return prompt
}
