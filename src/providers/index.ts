// Providers: where calls go and how they are signed.

export { addProviderHeaders } from './credentials.ts'
export { type UpstreamOperation, upstreamPath } from './paths.ts'
