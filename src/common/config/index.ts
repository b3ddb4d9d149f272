// Configuration: from a file or the environment to an immutable plan.

export { DEMO_MODEL, withDemo } from './demo.ts'
export { DEFAULT_FILES } from './discover.ts'
export { type ConfigIssue, ConfigErrors, issueText } from './issues.ts'
export { type LoadedPlan, type LoadNotes, type LoadOptions, loadPlan } from './load.ts'
export type {
  AdminPlan,
  ListenerPlan,
  Plan,
  ProviderPlan,
  SecretText,
  ServerPlan,
  TlsPlan,
  UpstreamPlan,
} from './plan.ts'
export { maskedPlan, rewrapSecrets, Secret } from './secret.ts'
export { type Vendor, VENDORS, vendorNamed } from './vendors.ts'
