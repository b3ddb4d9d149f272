// The fake upstream as a program, for load runs and for trying things by hand:
//   node dist/test/support/fake-upstream/main.js [--port N] [--host H] [--echo] [--quiet]
// Prints its origin as the first line. Replies are canned (10 input tokens, as many words as `x-fake: frames=N`
// asks for, 20 bytes each) unless `--echo` asks for replies made from the request.

import { parseArgs } from 'node:util'
import { startFakeUpstream } from './index.ts'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    host: { type: 'string', default: '127.0.0.1' },
    echo: { type: 'boolean', default: false },
    quiet: { type: 'boolean', default: false },
  },
})

const upstream = await startFakeUpstream({
  port: Number(values.port),
  host: values.host,
  record: false,
  behaviour: { canned: !values.echo, frames: values.echo ? 0 : 1 },
})
console.log(upstream.origin)
if (!values.quiet) {
  console.log(
    'openai-chat, openai-responses, anthropic-messages, bedrock-converse, gemini-generate; misbehaves by x-fake',
  )
}

const stop = (): void => {
  void upstream.close().then(() => process.exit(0))
}
process.on('SIGTERM', stop)
process.on('SIGINT', stop)
