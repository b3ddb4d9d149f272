// Loaded into a Sluice before anything of its own (`node --import`): on SIGUSR2 every thread collects its garbage and says
// on standard error what keeps it alive, so that memory, a socket or a timer that was left behind can be seen from
// outside. Knows nothing of Sluice.

import { writeSync } from 'node:fs'
import { isMainThread, threadId } from 'node:worker_threads'

const STDERR = 2
const channel = new BroadcastChannel('bench-probe')
channel.onmessage = tell
channel.unref()
if (isMainThread) {
  process.on('SIGUSR2', () => {
    channel.postMessage(null)
    tell()
  })
}

function tell(): void {
  // With --expose-gc, which must be given: a heap that nobody needs to collect grows for minutes and means nothing.
  globalThis.gc?.()
  const held = process.getActiveResourcesInfo()
  writeSync(STDERR, `${JSON.stringify({ probe: threadId, held })}\n`)
}
