// generateContent and streamGenerateContent, both ways.

import type { Dialect } from '../dialect.ts'
import { readPrompt } from './prompt-read.ts'
import { writePrompt } from './prompt-write.ts'
import { GeminiReplyReader, GeminiReplyWriter } from './reply.ts'
import { GeminiStreamReader } from './stream-read.ts'
import { GeminiStreamWriter } from './stream-write.ts'

export const geminiGenerate: Dialect = {
  id: 'gemini-generate',
  readPrompt,
  writePrompt,
  replyReader: (to, context) => new GeminiReplyReader(to, context),
  replyWriter: (out, context) => new GeminiReplyWriter(out, context),
  streamReader: (to, context) => new GeminiStreamReader(to, context),
  streamWriter: (out, context) => new GeminiStreamWriter(out, context),
}
