// Messages, both ways.

import type { Dialect } from '../dialect.ts'
import { SerialSink } from '../serial.ts'
import { readPrompt } from './prompt-read.ts'
import { writePrompt } from './prompt-write.ts'
import { MessagesReplyReader, MessagesReplyWriter } from './reply.ts'
import { MessagesStreamReader } from './stream-read.ts'
import { MessagesStreamWriter } from './stream-write.ts'

export const anthropicMessages: Dialect = {
  id: 'anthropic-messages',
  readPrompt,
  writePrompt,
  replyReader: (to, context) => new MessagesReplyReader(to, context),
  replyWriter: (out, context) => new MessagesReplyWriter(out, context),
  streamReader: (to, context) => new MessagesStreamReader(to, context),
  streamWriter: (out, context) => new SerialSink(new MessagesStreamWriter(out, context)),
}
