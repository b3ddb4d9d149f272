// Takes the text out of `{"input":"…"}` while it streams: the form in which a custom tool travels to an upstream
// that knows functions only. What does not have this form is collected and decided at the end.

import { membersOf, parsed } from './bytes/json-look.ts'

const HEAD = /^\s*\{\s*"input"\s*:\s*"/
/** Longest head that is still waited for. */
const HEAD_UNITS_MAX = 64

export class CustomInput {
  private state: 'head' | 'body' | 'tail' | 'whole'
  private pending: string

  constructor() {
    this.state = 'head'
    this.pending = ''
  }

  /** Text that a piece of the arguments completes; '' when none. */
  feed(json: string): string {
    if (this.state === 'tail') return ''
    this.pending += json
    if (this.state === 'head') {
      const match = HEAD.exec(this.pending)
      if (match !== null) {
        this.state = 'body'
        this.pending = this.pending.slice(match[0].length)
      } else if (this.pending.length > HEAD_UNITS_MAX) this.state = 'whole'
    }
    return this.state === 'body' ? this.body() : ''
  }

  /** What is left when the arguments are complete. */
  end(): string {
    const rest = this.pending
    this.pending = ''
    if (this.state === 'body' || this.state === 'tail') return ''
    const input = membersOf(parsed(rest))?.['input']
    if (typeof input === 'string') return input
    return rest.trim() === '{}' ? '' : rest
  }

  private body(): string {
    const text = this.pending
    let index = 0
    while (index < text.length) {
      const code = text.charCodeAt(index)
      if (code === 0x22) {
        this.state = 'tail'
        this.pending = ''
        return unescaped(text.slice(0, index))
      }
      if (code !== 0x5c) {
        index += 1
        continue
      }
      const bytes = text.charCodeAt(index + 1) === 0x75 ? 6 : 2
      if (index + bytes > text.length) break
      index += bytes
    }
    this.pending = text.slice(index)
    return unescaped(text.slice(0, index))
  }
}

function unescaped(inner: string): string {
  if (!inner.includes('\\')) return inner
  const text = parsed(`"${inner}"`)
  // A broken escape is shown as it stands: nothing is lost.
  return typeof text === 'string' ? text : inner
}
