// Chat Completions, both ways.

import type { Dialect } from '../dialect.ts'
import { readPrompt } from './prompt-read.ts'
import { writePrompt } from './prompt-write.ts'
import { ChatReplyReader, ChatReplyWriter } from './reply.ts'
import { ChatStreamReader } from './stream-read.ts'
import { ChatStreamWriter } from './stream-write.ts'

export const openaiChat: Dialect = {
  id: 'openai-chat',
  readPrompt,
  writePrompt,
  replyReader: (to, context) => new ChatReplyReader(to, context),
  replyWriter: (out, context) => new ChatReplyWriter(out, context),
  streamReader: (to, context) => new ChatStreamReader(to, context),
  streamWriter: (out, context) => new ChatStreamWriter(out, context),
}
