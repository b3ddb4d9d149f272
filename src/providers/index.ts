// Providers: where calls go, how they are signed, and what is peculiar to a host.

export { addProviderHeaders } from './credentials.ts'
export { type UpstreamOperation, upstreamPath } from './paths.ts'
export { type HostTraits, hostTraits, passesCacheMarks, reasoningFamily } from './traits.ts'
