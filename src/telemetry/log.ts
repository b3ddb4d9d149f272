// Log lines: one JSON object each. Owns levels and how a line is written; where lines go is `line-queue.ts` and
// `log-writer.ts`. Lines carry names, numbers and our own messages: never bodies, keys or header values.

import type { Clock } from '../common/clock.ts'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 }

const DEFAULT_LEVEL: LogLevel = 'info'

/** Words of other loggers that mean one of ours. */
const SYNONYMS: Readonly<Record<string, LogLevel>> = {
  trace: 'debug',
  warning: 'warn',
  fatal: 'error',
  off: 'silent',
  none: 'silent',
}

/** Level of `LOG_LEVEL`, and what is wrong with it, or null. */
export function readLogLevel(text: string | undefined): { level: LogLevel; fault: string | null } {
  const word = (text ?? '').trim().toLowerCase()
  if (word === '') return { level: DEFAULT_LEVEL, fault: null }
  const level = LOG_LEVELS.find(known => known === word) ?? SYNONYMS[word]
  if (level !== undefined) return { level, fault: null }
  return {
    level: DEFAULT_LEVEL,
    fault: `LOG_LEVEL is not one of ${LOG_LEVELS.join(', ')}; using ${DEFAULT_LEVEL}`,
  }
}

export type LogValue = string | number | boolean | null
export type LogFields = Readonly<Record<string, LogValue>>

/** A stack trace fits; a runaway message does not. */
const VALUE_CHARS_MAX = 4_000

export class Log {
  private readonly rank: number
  private readonly clock: Clock
  private readonly bound: string
  private readonly put: (line: string) => void

  /** `bound` is part of every line; `put` takes a line without its line break. */
  constructor(level: LogLevel, clock: Clock, bound: LogFields, put: (line: string) => void) {
    this.rank = RANK[level]
    this.clock = clock
    this.bound = fieldsText(bound)
    this.put = put
  }

  enabled(level: LogLevel): boolean {
    return RANK[level] >= this.rank && level !== 'silent'
  }

  write(level: LogLevel, message: string, fields: LogFields = NO_FIELDS): void {
    if (!this.enabled(level)) return
    const time = new Date(this.clock.epochMs()).toISOString()
    this.put(
      `{"time":"${time}","level":"${level}","msg":${quoted(message)}${this.bound}${fieldsText(fields)}}`,
    )
  }
}

const NO_FIELDS: LogFields = {}

/** `,"name":value` for each field; nulls are left out. Names are ours and need no quoting. */
function fieldsText(fields: LogFields): string {
  let text = ''
  for (const name in fields) {
    const value = fields[name]!
    if (value === null) continue
    text += `,"${name}":${typeof value === 'string' ? quoted(value) : String(value)}`
  }
  return text
}

function quoted(text: string): string {
  return JSON.stringify(text.length > VALUE_CHARS_MAX ? `${text.slice(0, VALUE_CHARS_MAX)}…` : text)
}
