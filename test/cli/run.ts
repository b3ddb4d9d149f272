// Runs the command as a person does: in a pipe, or in a pseudo-terminal. What differs from run to run is masked.

import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

export const ROOT: string = resolve(import.meta.dirname, '../..')
export const MAIN: string = join(ROOT, 'dist/src/cli/main.js')
/** A machine busy with other tests starts a process slowly. */
const RUN_MS_MAX = 60_000

export interface Ran {
  readonly code: number | null
  /** In a pseudo-terminal both streams are one. */
  readonly out: string
  readonly err: string
}

export interface Place {
  readonly folder: string
  readonly home: string
  readonly env: Readonly<Record<string, string>>
  write(name: string, text: string): string
  remove(): void
}

/** A folder to work in and a home of its own; nothing of the tester's environment but the path. */
export function newPlace(env: Readonly<Record<string, string>> = {}): Place {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-cli-'))
  const home = join(folder, 'home')
  const work = join(folder, 'work')
  mkdirSync(home)
  mkdirSync(work)
  return {
    folder: work,
    home,
    env: { PATH: process.env['PATH'] ?? '', HOME: home, SLUICE_SHARDS: '1', ...env },
    write(name, text) {
      writeFileSync(join(work, name), text)
      return join(work, name)
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

export interface RunOptions {
  readonly pty?: boolean
  /** Lines typed, one after each prompt that ends in a blank. */
  readonly answers?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

export function sluice(place: Place, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const env = { ...place.env, ...options.env }
  if (options.pty === true) return inTerminal(place.folder, args, env, options.answers ?? [])
  return collected(
    spawn(process.execPath, [MAIN, ...args], { cwd: place.folder, env, stdio: ['ignore', 'pipe', 'pipe'] }),
  )
}

/** Gives a child a terminal, types answers when it asks, and ends as the child ended. */
const PTY = `
import json, os, pty, select, sys
spec = json.loads(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0:
    os.chdir(spec['cwd'])
    os.execvpe(spec['argv'][0], spec['argv'], spec['env'])
answers, tail = spec['answers'], b''
while True:
    ready, _, _ = select.select([terminal], [], [], 0.3)
    if ready:
        try:
            data = os.read(terminal, 65536)
        except OSError:
            break
        if not data:
            break
        tail = (tail + data)[-200:]
        os.write(1, data)
    elif answers and tail.rstrip(b'\\x1b[0123456789GJK').endswith(b' '):
        os.write(terminal, answers.pop(0).encode() + b'\\n')
        tail = b''
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status))
`

/** False where there is no Python to make a pseudo-terminal. */
export const canPty: boolean = spawnSync('python3', ['-c', 'import pty']).status === 0

function inTerminal(
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  answers: readonly string[],
): Promise<Ran> {
  const child = { TERM: 'xterm-256color', ...env }
  const spec = { cwd, argv: [process.execPath, MAIN, ...args], env: child, answers }
  return collected(spawn('python3', ['-c', PTY, JSON.stringify(spec)], { stdio: ['ignore', 'pipe', 'pipe'] }))
}

function collected(child: ReturnType<typeof spawn>): Promise<Ran> {
  return new Promise(done => {
    let out = ''
    let err = ''
    const timer = setTimeout(() => child.kill('SIGKILL'), RUN_MS_MAX)
    child.stdout!.on('data', chunk => (out += String(chunk)))
    child.stderr!.on('data', chunk => (err += String(chunk)))
    child.once('close', code => {
      clearTimeout(timer)
      done({ code, out, err })
    })
  })
}

/** The output with places, ports, processes, hashes and times masked, and colour made visible. */
export function masked(place: Place, ran: Ran, ports: readonly number[] = []): string {
  let text = `${ran.out}${ran.err === '' ? '' : `--- stderr\n${ran.err}`}--- exit ${ran.code}\n`
  // A spinner draws and clears a line; what stays is what counts.
  text = text.replace(/(?:\r\x1b\[2K[^\n\r]*)+(?=\r\x1b\[2K)/g, '').replaceAll('\r\x1b[2K', '')
  text = text.replaceAll('\r\n', '\n').replaceAll('\x1b', '␛')
  text = text.replaceAll(place.folder, '<folder>').replaceAll(place.home, '<home>')
  for (const [at, port] of ports.entries()) text = text.replaceAll(String(port), `<port ${at + 1}>`)
  return text
    .replace(/"hash": "[0-9a-f]{64}"/g, '"hash": "<hash>"')
    .replace(/plan [0-9a-f]{12}/g, 'plan <hash>')
    .replace(/\bpid \d+/g, 'pid <pid>')
    .replace(/"pid": \d+/g, '"pid": <pid>')
    .replace(/\b\d+ ms\b/g, '<n> ms')
    .replace(/_ms": \d+/g, '_ms": <n>')
    .replace(/up \d+ s\)/g, 'up <n> s)')
    .replace(/"uptime_s": \d+/g, '"uptime_s": <n>')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replace(/sluice \d+\.\d+\.\d+/g, 'sluice <version>')
    .replace(/Node \d+\.\d+\.\d+/g, 'Node <version>')
    .replace(/run\/[0-9a-f]{12}/g, 'run/<key>')
}
