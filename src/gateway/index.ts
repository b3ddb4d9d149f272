// The gateway: one engine per shard, and the contract acceptors drive it by.

export { Gateway, type GatewayParts } from './compose.ts'
export { type ConfigTestResult, runConfigTests } from './config-tests.ts'
export type { BodyMode, ClientRequest, Engine, ReplySink, RequestSink } from './edge.ts'
export { ENDPOINTS } from './endpoints.ts'
export { GatewayEngine } from './engine.ts'
export type { Services, TokenCount, TranslateElsewhere } from './services.ts'
