// Facts about the machine that a reader needs to judge a result, and how busy it was with other things.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'

export interface MachineFacts {
  readonly node: string
  readonly kernel: string
  readonly cpuModel: string
  readonly cores: number
  readonly memoryMb: number
  readonly virtual: boolean
  readonly commit: string | null
}

export interface BusySample {
  readonly totalTicks: number
  readonly stolenTicks: number
  readonly load: readonly number[]
}

export function machineFacts(): MachineFacts {
  const cpuInfo = text('/proc/cpuinfo')
  return {
    node: process.version,
    kernel: release(),
    cpuModel: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryMb: Math.round(totalmem() / 2 ** 20),
    virtual: /^flags\s*:.*\bhypervisor\b/m.test(cpuInfo),
    commit: commit(),
  }
}

function commit(): string | null {
  try {
    const hash = git('rev-parse', '--short', 'HEAD')
    const changed = git('status', '--porcelain', '--', 'src', 'workers') !== ''
    return changed ? `${hash} with uncommitted changes` : hash
  } catch {
    return null
  }
}

function git(...args: string[]): string {
  return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
}

/** The first line of /proc/stat: user nice system idle iowait irq softirq steal … in ticks over all cores. */
export function parseBusy(statText: string, load: readonly number[]): BusySample {
  const fields = (/^cpu\s+(.*)$/m.exec(statText)?.[1] ?? '').split(/\s+/).map(Number)
  const counted = fields.slice(0, 8)
  return { totalTicks: counted.reduce((sum, ticks) => sum + ticks, 0), stolenTicks: fields[7] ?? 0, load }
}

export function sampleBusy(): BusySample {
  return parseBusy(text('/proc/stat'), loadavg())
}

/** Share of all CPU time that the hypervisor gave to somebody else, in percent. */
export function stolenPercent(before: BusySample, after: BusySample): number {
  const total = after.totalTicks - before.totalTicks
  return total <= 0 ? 0 : ((after.stolenTicks - before.stolenTicks) / total) * 100
}

function text(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
