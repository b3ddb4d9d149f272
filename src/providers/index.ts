// Providers: where calls go, how they are authorised, and what is peculiar to a host.

export { Authorizer, type OutgoingCall } from './auth/authorizer.ts'
export type { TokenFetch, TokenReply, TokenRequest } from './auth/tools.ts'
export { bodyFixups, neededFixups, relayable } from './body-fixups.ts'
export { addCacheMarks } from './cache-marks.ts'
export { addProviderHeaders, lacksCredential, withFields } from './credentials.ts'
export { type EmbeddingsForm, embeddingsForm, embeddingsPath, forwardPath } from './forward-path.ts'
export { pathNamesModel, type UpstreamOperation, upstreamDialects, upstreamPath } from './paths.ts'
export { type HostTraits, hostTraits, passesCacheMarks, reasoningFamily } from './traits.ts'
