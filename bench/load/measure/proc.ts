// CPU time and memory of a process and everything it started, read from /proc. Owns the file formats; decides nothing.
// The trick: `stat` counts in ticks of 10 ms and survives threads that end, `schedstat` counts nanoseconds but only of
// threads that live. The fine count is used when the same threads were there at both ends, else the coarse one.

import { readdirSync, readFileSync } from 'node:fs'

/** USER_HZ: fixed at 100 by the kernel's promise to user space on every architecture that Node runs on. */
const TICK_US = 10_000
/** Beyond this much disagreement the fine count has missed something (a busy thread is up to a tick behind). */
const DISAGREE_US_MAX = 50_000

export interface ProcessStat {
  readonly pid: number
  readonly command: string
  readonly parentPid: number
  /** User and system time of the process with all its threads. */
  readonly ownTicks: number
  /** The same of children that have ended and were waited for. */
  readonly endedChildrenTicks: number
}

export interface CpuSample {
  readonly coarseUs: number
  /** Null when a thread could not be read. */
  readonly fineUs: number | null
  /** Which processes and threads were counted. */
  readonly threads: string
}

/** Reads the one line of /proc/PID/stat. The command stands in brackets and may hold blanks and brackets itself. */
export function parseStat(text: string): ProcessStat {
  const open = text.indexOf('(')
  const close = text.lastIndexOf(')')
  const fields = text.slice(close + 2).split(' ')
  // Field 3 of proc(5) is fields[0]: utime is field 14, stime 15, cutime 16, cstime 17.
  return {
    pid: Number(text.slice(0, open).trim()),
    command: text.slice(open + 1, close),
    parentPid: Number(fields[1]),
    ownTicks: Number(fields[11]) + Number(fields[12]),
    endedChildrenTicks: Number(fields[13]) + Number(fields[14]),
  }
}

/** First number of /proc/PID/task/TID/schedstat: nanoseconds on a CPU. */
export function parseSchedstat(text: string): number {
  return Number(text.slice(0, text.indexOf(' '))) / 1000
}

/** A `Name:   123 kB` line of smaps_rollup or status, in KB; null when there is none. */
export function parseKb(text: string, name: string): number | null {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)
  return match === null ? null : Number(match[1])
}

/** The process and its descendants. */
export function treeOf(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(treeOf)]
}

function childrenOf(pid: number): number[] {
  const found: number[] = []
  for (const task of list(`/proc/${pid}/task`)) {
    const text = read(`/proc/${pid}/task/${task}/children`)
    if (text === null) return childrenByParent(pid)
    for (const child of text.split(' ')) if (child !== '') found.push(Number(child))
  }
  return found
}

/** For kernels without CONFIG_PROC_CHILDREN. */
function childrenByParent(pid: number): number[] {
  return list('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(name => {
      const text = read(`/proc/${name}/stat`)
      return text !== null && parseStat(text).parentPid === pid
    })
    .map(Number)
}

export function sampleCpu(roots: readonly number[]): CpuSample {
  let coarseTicks = 0
  let fineUs: number | null = 0
  const threads: string[] = []
  for (const pid of roots.flatMap(treeOf)) {
    const text = read(`/proc/${pid}/stat`)
    if (text === null) continue
    const stat = parseStat(text)
    coarseTicks += stat.ownTicks + stat.endedChildrenTicks
    for (const task of list(`/proc/${pid}/task`)) {
      const fine = read(`/proc/${pid}/task/${task}/schedstat`)
      if (fine === null || fineUs === null) fineUs = null
      else fineUs += parseSchedstat(fine)
      threads.push(task)
    }
  }
  return { coarseUs: coarseTicks * TICK_US, fineUs, threads: threads.join(' ') }
}

/** CPU time between two samples of the same roots, in microseconds. */
export function cpuBetween(before: CpuSample, after: CpuSample): number {
  const coarse = after.coarseUs - before.coarseUs
  if (before.fineUs === null || after.fineUs === null || before.threads !== after.threads) return coarse
  const fine = after.fineUs - before.fineUs
  return Math.abs(fine - coarse) > DISAGREE_US_MAX ? coarse : fine
}

/** Resident memory of the whole tree. Pages that processes share count for each of them. */
export function rssKb(roots: readonly number[]): number {
  let total = 0
  for (const pid of roots.flatMap(treeOf)) {
    // smaps_rollup walks the pages; the count in `status` may be some hundred KB behind.
    const exact = parseKb(read(`/proc/${pid}/smaps_rollup`) ?? '', 'Rss')
    total += exact ?? parseKb(read(`/proc/${pid}/status`) ?? '', 'VmRSS') ?? 0
  }
  return total
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return null
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
