// What a command says, and where: results to standard output, everything about them to standard error. Owns colour and
// movement, which exist on terminals only; a pipe gets plain lines.

import type { WriteStream } from 'node:tty'

export type Env = Readonly<Record<string, string | undefined>>

/** What a command gets from its process. */
export interface Shell {
  readonly terminal: Terminal
  readonly env: Env
  readonly cwd: string
}

const STYLES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const

export type Style = keyof typeof STYLES

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const
/** Fast enough to look alive, slow enough for a serial line. */
const FRAME_MS = 100
const CLEAR_LINE = '\r\x1b[2K'

export class Terminal {
  /** Somebody can be asked. */
  readonly interactive: boolean
  private readonly out: WriteStream
  private readonly err: WriteStream
  private readonly colourOut: boolean
  private readonly colourErr: boolean
  private readonly moving: boolean

  constructor(stdin: { isTTY?: boolean }, out: WriteStream, err: WriteStream, env: Env) {
    this.out = out
    this.err = err
    this.interactive = stdin.isTTY === true && out.isTTY === true
    this.colourOut = coloured(out, env)
    this.colourErr = coloured(err, env)
    this.moving = err.isTTY === true && env['TERM'] !== 'dumb' && (env['CI'] ?? '') === ''
  }

  /** A line of the result. */
  line(text = ''): void {
    this.out.write(`${text}\n`)
  }

  /** The result for a script. */
  json(value: unknown): void {
    this.out.write(`${JSON.stringify(value, null, 2)}\n`)
  }

  /** A line about the result. */
  note(text = ''): void {
    this.err.write(`${text}\n`)
  }

  warn(text: string): void {
    this.note(`${this.paintErr('yellow', 'warning')} ${text}`)
  }

  fail(text: string): void {
    this.note(`${this.paintErr('red', 'error')} ${text}`)
  }

  paint(style: Style, text: string): string {
    return this.colourOut ? painted(style, text) : text
  }

  paintErr(style: Style, text: string): string {
    return this.colourErr ? painted(style, text) : text
  }

  /** Columns of equal width, two blanks apart; colour does not count as width. */
  table(rows: readonly (readonly string[])[]): void {
    const widths: number[] = []
    for (const row of rows)
      for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, visibleLength(cell))
    for (const row of rows) {
      const cells = row.map((cell, at) =>
        at === row.length - 1 ? cell : cell + ' '.repeat(widths[at]! - visibleLength(cell)),
      )
      this.line(cells.join('  ').trimEnd())
    }
  }

  /** Shows that something is being waited for; a pipe sees nothing of it. */
  async waiting<T>(text: string, work: Promise<T>): Promise<T> {
    if (!this.moving) return await work
    let frame = 0
    const draw = (): void => {
      this.err.write(`${CLEAR_LINE}${this.paintErr('cyan', FRAMES[frame++ % FRAMES.length]!)} ${text}`)
    }
    draw()
    const timer = setInterval(draw, FRAME_MS)
    try {
      return await work
    } finally {
      clearInterval(timer)
      this.err.write(CLEAR_LINE)
    }
  }
}

/** https://no-color.org: set and not empty means no colour. */
function coloured(stream: WriteStream, env: Env): boolean {
  if ((env['NO_COLOR'] ?? '') !== '') return false
  return stream.isTTY === true && env['TERM'] !== 'dumb'
}

function painted(style: Style, text: string): string {
  const [on, off] = STYLES[style]
  return `\x1b[${on}m${text}\x1b[${off}m`
}

function visibleLength(text: string): number {
  return text.replace(/\x1b\[\d+m/g, '').length
}
