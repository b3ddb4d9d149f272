// What Sluice set out to reach, and whether this run shows it.

import type { Figures } from './result.ts'

export interface Goal {
  readonly scenario: string
  readonly key: string
  readonly title: string
  readonly most: number
  readonly unit: string
  /** Compare the ratio instead of the figure. */
  readonly ratio: boolean
}

export interface Verdict {
  readonly goal: Goal
  /** Null when the run did not measure it. */
  readonly value: number | null
  readonly reached: boolean | null
}

export const GOALS: readonly Goal[] = [
  {
    scenario: 'chat',
    key: 'cpuUs',
    title: 'CPU per relayed 1 KB exchange',
    most: 3,
    unit: '× nginx',
    ratio: true,
  },
  { scenario: 'paced', key: 'cpuUs', title: 'CPU per paced frame', most: 2, unit: '× nginx', ratio: true },
  {
    scenario: 'stream',
    key: 'cpuUs',
    title: 'CPU per 52-frame stream',
    most: 1.8,
    unit: '× nginx',
    ratio: true,
  },
  {
    scenario: 'latency',
    key: 'p50At1',
    title: 'added p50, 1 connection',
    most: 0.15,
    unit: 'ms',
    ratio: false,
  },
  {
    scenario: 'latency',
    key: 'p50At16',
    title: 'added p50, 16 connections',
    most: 0.3,
    unit: 'ms',
    ratio: false,
  },
  { scenario: 'start', key: 'readyMs', title: 'ready', most: 1500, unit: 'ms', ratio: false },
  {
    scenario: 'held',
    key: 'kbPerStream',
    title: 'memory per idle stream',
    most: 20,
    unit: 'KB',
    ratio: false,
  },
  {
    scenario: 'prompts',
    key: 'loopDelayP99',
    title: 'loop delay p99, 1 MB prompts',
    most: 10,
    unit: 'ms',
    ratio: false,
  },
  {
    scenario: 'translated',
    key: 'messagesFromchat',
    title: 'CPU per stream, messages from chat',
    most: 1.4,
    unit: '× relay',
    ratio: false,
  },
  {
    scenario: 'translated',
    key: 'chatFrommessages',
    title: 'CPU per stream, chat from messages',
    most: 1.4,
    unit: '× relay',
    ratio: false,
  },
  {
    scenario: 'translated',
    key: 'worst',
    title: 'CPU per translated stream, worst pair',
    most: 2,
    unit: '× relay',
    ratio: false,
  },
  {
    scenario: 'translated-paced',
    key: 'messagesMore',
    title: 'more per paced frame, messages from chat',
    most: 2.5,
    unit: 'µs',
    ratio: false,
  },
  {
    scenario: 'translated-paced',
    key: 'chatMore',
    title: 'more per paced frame, chat from messages',
    most: 2.5,
    unit: 'µs',
    ratio: false,
  },
  {
    scenario: 'translated-held',
    key: 'messagesFromchat',
    title: 'memory per stream, messages from chat',
    most: 24,
    unit: 'KB',
    ratio: false,
  },
  {
    scenario: 'translated-held',
    key: 'chatFrommessages',
    title: 'memory per stream, chat from messages',
    most: 24,
    unit: 'KB',
    ratio: false,
  },
] // prettier-ignore

export function verdicts(figures: Figures, ratios: Figures, peer: string): Verdict[] {
  return GOALS.map(goal => {
    const value = (goal.ratio ? ratios : figures)[goal.scenario]?.[goal.key]?.[peer] ?? null
    return { goal, value, reached: value === null ? null : value <= goal.most }
  })
}
