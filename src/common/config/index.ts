// Configuration: from a file or the environment to an immutable plan.

export { type ConfigTest, type Expectation, testIssue } from './check-tests.ts'
export { CODES } from './codes.ts'
export { proxiesOf } from './compile/proxies.ts'
export { DEMO_MODEL, withDemo } from './demo.ts'
export { DEFAULT_FILES } from './discover.ts'
export type { Explained } from './explain.ts'
export { atHosts, hostLabel } from './hosts.ts'
export { type ConfigIssue, ConfigErrors, issueText } from './issues.ts'
export { type LoadedPlan, type LoadNotes, type LoadOptions, loadPlan } from './load.ts'
export { migrateText, type MigratedText } from './migrate/text.ts'
export type {
  AdminPlan,
  AuthPlan,
  HostPlan,
  ListenerPlan,
  Plan,
  ProviderPlan,
  ProxiesPlan,
  ProxyPlan,
  SecretText,
  ServerPlan,
  TlsPlan,
  UpstreamPlan,
} from './plan.ts'
export { configJsonSchema } from './schema/written.ts'
export type {
  BudgetPlan,
  CostSourcePlan,
  EndpointPlan,
  FeaturePlan,
  FilePrice,
  FilterPlan,
  LatencySourcePlan,
  LimitPlan,
  LimitStorePlan,
  LimitTrait,
  ListenerAgentPlan,
  ListenerFeatures,
  ParameterPlan,
  PromptCachingPlan,
  PromptTargetPlan,
  RateLimitPlan,
  RemotePlan,
  RoutePlan,
  RouterPlan,
  SessionPlan,
  StatePlan,
  TracingPlan,
} from './plan-features.ts'
export { maskedPlan, rewrapSecrets, Secret } from './secret.ts'
export { type Vendor, VENDORS, vendorNamed } from './vendors.ts'
