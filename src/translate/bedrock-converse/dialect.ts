// Converse and ConverseStream, both ways.

import type { Dialect } from '../dialect.ts'
import { SerialSink } from '../serial.ts'
import { readPrompt } from './prompt-read.ts'
import { writePrompt } from './prompt-write.ts'
import { ConverseReplyReader, ConverseReplyWriter } from './reply.ts'
import { ConverseStreamReader } from './stream-read.ts'
import { ConverseStreamWriter } from './stream-write.ts'

export const bedrockConverse: Dialect = {
  id: 'bedrock-converse',
  readPrompt,
  writePrompt,
  replyReader: (to, context) => new ConverseReplyReader(to, context),
  replyWriter: (out, context) => new ConverseReplyWriter(out, context),
  streamReader: (to, context) => new ConverseStreamReader(to, context),
  streamWriter: (out, context) => new SerialSink(new ConverseStreamWriter(out, context)),
}
