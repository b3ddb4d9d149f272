// Where the time of a process went, from the .cpuprofile files that V8 writes: self time by function, idling left out.
// Owns the file format; which load ran is the orchestrator's business.

import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

interface ProfileNode {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
}

export interface CpuProfile {
  readonly nodes: readonly ProfileNode[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

export interface SelfTime {
  readonly name: string
  readonly us: number
}

export interface ProfileSummary {
  readonly busyUs: number
  readonly idleUs: number
  /** Falling self time. */
  readonly functions: readonly SelfTime[]
}

const IDLE = '(idle)'
const PATH_PARTS = 3

/** Sums the self time of each function over all profiles (one per thread). */
export function summarise(profiles: readonly CpuProfile[]): ProfileSummary {
  const selfUs = new Map<string, number>()
  let idleUs = 0
  let busyUs = 0
  for (const profile of profiles) {
    const names = new Map(profile.nodes.map(node => [node.id, nameOf(node)]))
    profile.samples.forEach((id, at) => {
      const us = profile.timeDeltas[at] ?? 0
      const name = names.get(id) ?? '(unknown)'
      if (name === IDLE) {
        idleUs += us
        return
      }
      busyUs += us
      selfUs.set(name, (selfUs.get(name) ?? 0) + us)
    })
  }
  const functions = [...selfUs].map(([name, us]) => ({ name, us })).sort((a, b) => b.us - a.us)
  return { busyUs, idleUs, functions }
}

function nameOf({ callFrame }: ProfileNode): string {
  const { functionName, url, lineNumber } = callFrame
  const name = functionName === '' ? '(anonymous)' : functionName
  if (url === '') return name
  const place = url.startsWith('node:') ? url : url.split('/').slice(-PATH_PARTS).join('/')
  return `${name}  ${place}:${lineNumber + 1}`
}

export function readProfiles(folder: string): { file: string; profile: CpuProfile }[] {
  return readdirSync(folder)
    .filter(name => name.endsWith('.cpuprofile'))
    .map(name => join(folder, name))
    .map(file => ({
      file: basename(file),
      profile: JSON.parse(readFileSync(file, 'utf8')) as CpuProfile,
    }))
}

export function profileText(title: string, summary: ProfileSummary, count: number): string {
  const share = (us: number): string =>
    `${((us / Math.max(1, summary.busyUs)) * 100).toFixed(1).padStart(5)} %`
  const ms = (us: number): string => `${(us / 1000).toFixed(0).padStart(7)} ms`
  return [
    `${title}: ${(summary.busyUs / 1e6).toFixed(2)} s busy, ${(summary.idleUs / 1e6).toFixed(2)} s idle`,
    ...summary.functions.slice(0, count).map(({ name, us }) => `  ${share(us)} ${ms(us)}  ${name}`),
  ].join('\n')
}
