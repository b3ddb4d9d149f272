// The only door of the compute module. Loading it loads no rank table.

export {
  type Compute,
  type ComputeFacts,
  type ComputeOptions,
  COUNT_BYTES_MAX,
  createCompute,
} from './compute.ts'
export { loadedEncodings } from './encodings.ts'
export { estimateTokens, type TokenCount } from './estimate.ts'
export { TASKS } from './tasks.ts'
export type { TranslateWish } from './translation.ts'
