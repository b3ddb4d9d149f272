// The only door of the fake upstream.

export { readBehaviour, SOUND } from './behaviour.ts'
export { eventMessage } from './dialects/bedrock-converse.ts'
export { FAKE_DIALECTS } from './dialects/index.ts'
export { type FakeUpstream, type FakeUpstreamOptions, startFakeUpstream } from './server.ts'
export { tokensOf, wordsOf } from './turn.ts'
export type { Behaviour, RecordedRequest, ScriptedReply, Step } from './types.ts'
export { until } from './until.ts'
