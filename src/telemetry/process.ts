// The standard metrics of a process. Owns their names here and nowhere else, because they are not ours to choose.
// (prom-client's own collectors would add the event loop and heap of the supervisor's thread, which says nothing
// about the shards.)

import { readdirSync, readFileSync } from 'node:fs'
import type { MetricSpec, Snapshot } from './families.ts'

const MICROSECONDS = 1e6
const SECOND_MS = 1000

function spec(name: string, type: MetricSpec['type'], help: string): MetricSpec {
  return { name, help, type, labels: [], buckets: [] }
}

export const PROCESS_METRICS = {
  cpu: spec('process_cpu_seconds_total', 'counter', 'Total user and system CPU time spent in seconds.'),
  cpuUser: spec('process_cpu_user_seconds_total', 'counter', 'Total user CPU time spent in seconds.'),
  cpuSystem: spec('process_cpu_system_seconds_total', 'counter', 'Total system CPU time spent in seconds.'),
  memory: spec('process_resident_memory_bytes', 'gauge', 'Resident memory size in bytes.'),
  start: spec(
    'process_start_time_seconds',
    'gauge',
    'Start time of the process since unix epoch in seconds.',
  ),
  files: spec('process_open_fds', 'gauge', 'Number of open file descriptors.'),
  filesMax: spec('process_max_fds', 'gauge', 'Maximum number of open file descriptors.'),
} as const satisfies Record<string, MetricSpec>

/** Read anew at every call. */
export function processRows(): Snapshot {
  const { user, system } = process.cpuUsage()
  const rows: [MetricSpec, number | null][] = [
    [PROCESS_METRICS.cpu, (user + system) / MICROSECONDS],
    [PROCESS_METRICS.cpuUser, user / MICROSECONDS],
    [PROCESS_METRICS.cpuSystem, system / MICROSECONDS],
    [PROCESS_METRICS.memory, process.memoryUsage.rss()],
    [PROCESS_METRICS.start, performance.timeOrigin / SECOND_MS],
    [PROCESS_METRICS.files, openFiles()],
    [PROCESS_METRICS.filesMax, openFilesMax()],
  ]
  return rows
    .filter((row): row is [MetricSpec, number] => row[1] !== null)
    .map(([metric, value]) => ({ name: metric.name, rows: [{ labels: [], values: [value] }] }))
}

/** Null where the system has no /proc. */
function openFiles(): number | null {
  try {
    // Reading the folder opens one more.
    return readdirSync('/proc/self/fd').length - 1
  } catch {
    return null
  }
}

function openFilesMax(): number | null {
  try {
    const found = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))
    return found === null ? null : Number(found[1])
  } catch {
    return null
  }
}
