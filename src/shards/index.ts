// Shards: the threads that carry traffic, and the supervisor that keeps them.

export { LET_GO } from './evict.ts'
export type { ComputeFacts, PoolFacts } from './gauges.ts'
export { FileWatch, type FileWatchOptions } from './file-watch.ts'
export type { OpenListener, ShardAcceptor } from './listeners.ts'
export type { ControlPort, FromShard, ListenerFacts, ShardStart, ToShard } from './messages.ts'
export { PortTaken } from './ports.ts'
export {
  type ConfigHealth,
  NoSuchPlan,
  Reloader,
  type ReloaderOptions,
  type ReloadReport,
  type ReloadResult,
  type ReloadSource,
} from './reload.ts'
export { Shard, type ShardGateway, type ShardParts, type ShardTelemetry } from './shard.ts'
export { type Phase, type ShardFacts, Supervisor, type SupervisorOptions } from './supervisor.ts'
export { type ShardThread, type SpawnShard, workerThread } from './thread.ts'
