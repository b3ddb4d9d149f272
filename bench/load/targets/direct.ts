// No gateway at all: the generator calls the upstream. What every other peer's latency is measured against.

import type { Target } from './target.ts'

export const direct: Target = {
  name: 'direct',
  find: async () => ({ version: process.version }),
  start: async (facts, version) => ({
    name: 'direct',
    version,
    port: facts.upstreamPort,
    adminPort: null,
    path: '/v1/chat/completions',
    headers: {},
    model: 'gpt-4o-mini',
    check: 'bytes',
    models: null,
    // The upstream is not under test; its CPU is nobody's.
    pids: [],
    readyMs: 0,
    stop: async () => {},
  }),
}
