// Responses, both ways.

import type { Dialect } from '../dialect.ts'
import { readPrompt } from './prompt-read.ts'
import { writePrompt } from './prompt-write.ts'
import { ResponsesReplyReader, ResponsesReplyWriter } from './reply.ts'
import { ResponsesStreamReader } from './stream-read.ts'
import { ResponsesStreamWriter } from './stream-write.ts'

export const openaiResponses: Dialect = {
  id: 'openai-responses',
  readPrompt,
  writePrompt,
  replyReader: (to, context) => new ResponsesReplyReader(to, context),
  replyWriter: (out, context) => new ResponsesReplyWriter(out, context),
  streamReader: (to, context) => new ResponsesStreamReader(to, context),
  streamWriter: (out, context) => new ResponsesStreamWriter(out, context),
}
