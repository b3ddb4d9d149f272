// `sluice logs`: the end of the log of a detached gateway, and what follows. People get a line they can read; a pipe
// gets the lines as they were written.

import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { sleep } from '../calls.ts'
import { Failure } from '../exit.ts'
import { instanceFolder, PATHS, readInstance, runHome } from '../instance.ts'
import { fileOf, runningGateway } from '../meant.ts'
import type { Shell } from '../terminal.ts'

interface LogsOptions {
  readonly path?: string
  readonly follow?: boolean
  readonly lines: number
  readonly request?: string
  readonly level?: string
  readonly debug?: boolean
  readonly json?: boolean
}

const LINES = 100
/** Looked at from the end; what is older is in the files, which `status --json` names. */
const TAIL_BYTES_MAX = 8 * 1024 * 1024
const LOOK_EVERY_MS = 200
const CHUNK_BYTES = 64 * 1024
const LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error']

export function addLogs(program: Command, shell: Shell): void {
  program
    .command('logs')
    .argument('[file]', 'the configuration of the gateway; without one: that of this folder, or the only one')
    .description('print the log of a gateway that `up` started')
    .option('-f, --follow', 'go on until Ctrl-C')
    .option('-n, --lines <count>', 'lines to begin with', lineCount, LINES)
    .option('--request <id>', 'only lines of this request id')
    .addOption(new Option('--level <level>', 'only lines of this level and above').choices(LEVELS))
    .option('--debug', 'print what the gateway said when it started, too')
    .option('--json', 'print lines as they were written, on a terminal too')
    .option('--path <dir>', 'folder of the file')
    .addOption(new Option('--docker', 'of the reference').hideHelp())
    .addHelpText('after', '\nExample:\n  $ sluice logs -f --level warn')
    .action((file: string | undefined, options: LogsOptions) => logs(shell, file, options))
}

function lineCount(text: string): number {
  if (!/^\d{1,7}$/.test(text)) throw new InvalidArgumentError('A number of lines from 0 up.')
  return Number(text)
}

async function logs(shell: Shell, file: string | undefined, options: LogsOptions): Promise<void> {
  const { terminal } = shell
  const folder = folderOf(shell, file, options)
  if (options.debug === true) {
    for (const line of tailLines([join(folder, PATHS.messages)])) terminal.line(line)
  }
  const path = join(folder, PATHS.log)
  const print = (line: string): void => {
    const entry = parsed(line)
    if (!wanted(line, entry, options)) return
    terminal.line(
      options.json === true || !terminal.interactive || entry === null ? line : readable(shell, entry),
    )
  }
  const follower = new Follower(path)
  const lines = tailLines([`${path}.1`, path]).filter(line => wanted(line, parsed(line), options))
  if (options.lines > 0) lines.slice(-options.lines).forEach(print)
  if (options.follow !== true) {
    if (lines.length === 0) terminal.note('no lines')
    return
  }
  for (;;) {
    follower.read().forEach(print)
    await sleep(LOOK_EVERY_MS)
  }
}

function folderOf(shell: Shell, file: string | undefined, options: LogsOptions): string {
  const running = runningGateway(shell, file, options.path)
  if (running !== null) return running.folder
  // The log of one that has ended is still there.
  const { absolute, cwd } = fileOf(shell, file, options.path)
  const folder = instanceFolder(runHome(shell.env, shell.cwd), absolute, cwd)
  const exists = statSync(join(folder, PATHS.messages), { throwIfNoEntry: false }) !== undefined
  if (!exists && readInstance(folder) === null) {
    throw new Failure(`no gateway of ${absolute ?? 'this folder'} has run\nStart one: sluice up`)
  }
  return folder
}

type Entry = Readonly<Record<string, unknown>>

function parsed(line: string): Entry | null {
  try {
    const value = JSON.parse(line) as unknown
    return typeof value === 'object' && value !== null ? (value as Entry) : null
  } catch {
    return null
  }
}

function wanted(line: string, entry: Entry | null, { level, request }: LogsOptions): boolean {
  if (request !== undefined && !line.includes(request)) return false
  if (level === undefined) return true
  const rank = LEVELS.indexOf(String(entry?.['level']))
  return rank >= LEVELS.indexOf(level)
}

function readable({ terminal }: Shell, entry: Entry): string {
  const { time, level, msg, ...rest } = entry
  const shown = String(level ?? '')
  const style = shown === 'error' ? 'red' : shown === 'warn' ? 'yellow' : 'dim'
  const fields = Object.entries(rest).map(([name, value]) => `${name}=${String(value)}`)
  const parts = [
    terminal.paint('dim', String(time ?? '')),
    terminal.paint(style, shown.padEnd(5)),
    String(msg ?? ''),
    terminal.paint('dim', fields.join(' ')),
  ]
  return parts.join(' ').trimEnd()
}

function tailLines(paths: readonly string[]): string[] {
  return paths.flatMap(path => {
    const text = tailOf(path)
    return text === '' ? [] : text.replace(/\n$/, '').split('\n')
  })
}

function tailOf(path: string): string {
  let descriptor: number
  try {
    descriptor = openSync(path, 'r')
  } catch {
    return ''
  }
  try {
    const { size } = fstatSync(descriptor)
    const length = Math.min(size, TAIL_BYTES_MAX)
    const bytes = Buffer.alloc(length)
    const read = readSync(descriptor, bytes, 0, length, size - length)
    const text = bytes.toString('utf8', 0, read)
    return length < size ? text.slice(text.indexOf('\n') + 1) : text
  } finally {
    closeSync(descriptor)
  }
}

/** Reads what is appended to a file, across its rotation: the old file is read to its end before the new one. */
export class Follower {
  private readonly path: string
  private descriptor: number | null = null
  private inode = 0
  private at = 0
  private rest = ''

  constructor(path: string) {
    this.path = path
    this.open()
    if (this.descriptor !== null) this.at = fstatSync(this.descriptor).size
  }

  /** Whole lines since the last call. */
  read(): string[] {
    const found = statSync(this.path, { throwIfNoEntry: false })
    let text = this.appended()
    if (found !== undefined && found.ino !== this.inode) {
      this.close()
      this.open()
      text += this.appended()
    }
    const lines = (this.rest + text).split('\n')
    this.rest = lines.pop()!
    return lines
  }

  close(): void {
    if (this.descriptor !== null) closeSync(this.descriptor)
    this.descriptor = null
  }

  private open(): void {
    try {
      this.descriptor = openSync(this.path, 'r')
      this.inode = fstatSync(this.descriptor).ino
      this.at = 0
    } catch {
      // Not written yet.
      this.descriptor = null
    }
  }

  private appended(): string {
    if (this.descriptor === null) return ''
    const chunks: Buffer[] = []
    for (;;) {
      const chunk = Buffer.alloc(CHUNK_BYTES)
      const read = readSync(this.descriptor, chunk, 0, CHUNK_BYTES, this.at)
      if (read === 0) return Buffer.concat(chunks).toString('utf8')
      this.at += read
      chunks.push(chunk.subarray(0, read))
    }
  }
}
