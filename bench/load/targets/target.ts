// What a peer is: how to find it on this machine, how to start it in front of the upstream, how to talk to it.

import { execFileSync } from 'node:child_process'
import { type Child, type StartOptions, start } from '../children.ts'
import type { CheckKind } from '../checks.ts'
import { Connection } from '../connection.ts'
import type { Models } from '../dialects.ts'
import { requestBytes, SMALL_BYTES } from '../requests.ts'
import type { PeerFacts } from '../scenarios/index.ts'

export interface StartFacts {
  readonly upstreamPort: number
  /** An empty folder of its own. */
  readonly folder: string
  /** Where peers from registries are installed. */
  readonly cacheFolder: string
  readonly pin: string | null
  /** Node flags for Sluice, such as --cpu-prof. */
  readonly nodeArgs: readonly string[]
}

export interface Peer extends PeerFacts {
  readonly version: string
  /** From the start of the process to its first good answer. */
  readonly readyMs: number
  stop(): Promise<void>
}

export type Found = { readonly version: string } | { readonly missing: string }

export interface Target {
  readonly name: string
  /** Looks, and installs nothing. */
  find(cacheFolder: string): Promise<Found>
  /** For peers that come from a registry. */
  install?(cacheFolder: string): Promise<void>
  start(facts: StartFacts, version: string): Promise<Peer>
}

export interface Launch {
  readonly name: string
  readonly version: string
  readonly port: number
  readonly adminPort: number | null
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly model: string
  readonly check: CheckKind
  /** For a peer that translates; null otherwise. */
  readonly models?: Models
  readonly command: StartOptions
  readonly readyMsMax: number
}

const POLL_MS = 5
/** A probe that gets no answer is given up after this long. */
const PROBE_MS_MAX = 5_000
const CHAT = { kind: 'chat', waitMs: 0 } as const

/** Starts a process and waits for its first good answer to a real request. */
export async function launch(facts: Launch): Promise<Peer> {
  const startMs = performance.now()
  const child = start(facts.command)
  const peer = {
    name: facts.name,
    version: facts.version,
    port: facts.port,
    adminPort: facts.adminPort,
    path: facts.path,
    headers: facts.headers,
    model: facts.model,
    check: facts.check,
    models: facts.models ?? null,
    pids: [child.pid],
  }
  const readyMs = await ready(peer, child, startMs, facts.readyMsMax)
  return { ...peer, readyMs, stop: async () => void (await child.stop()) }
}

async function ready(peer: PeerFacts, child: Child, startMs: number, readyMsMax: number): Promise<number> {
  let last = 'not asked yet'
  while (performance.now() - startMs < readyMsMax) {
    if (child.process.exitCode !== null || child.process.signalCode !== null || child.pid === 0) {
      throw new Error(`${peer.name} ended at once: ${child.output()}`)
    }
    last = await probe(peer)
    if (last === '') return performance.now() - startMs
    await new Promise(done => setTimeout(done, POLL_MS))
  }
  await child.stop()
  throw new Error(`${peer.name} gave no good answer within ${readyMsMax} ms (${last}): ${child.output()}`)
}

/** One small request; the empty string when it was answered with 200, else what happened. */
function probe(peer: PeerFacts): Promise<string> {
  return new Promise(done => {
    const connection = new Connection({ port: peer.port })
    const finish = (text: string): void => {
      clearTimeout(timer)
      connection.leave()
      done(text)
    }
    const timer = setTimeout(() => finish('no answer'), PROBE_MS_MAX)
    const check = { reset: () => {}, feed: () => {}, complete: () => true, clean: () => true }
    connection.request(requestBytes(peer, CHAT, SMALL_BYTES), check, {
      first: () => {},
      data: () => {},
      done: outcome => finish(outcome === 'ok' ? '' : connection.reason || outcome),
    })
  })
}

/** The first line that a program prints about its version, or null when it is not there. */
export function versionOf(command: string, args: readonly string[], pattern: RegExp): string | null {
  try {
    const output = execFileSync('/bin/sh', ['-c', '"$0" "$@" 2>&1', command, ...args], { encoding: 'utf8' })
    return pattern.exec(output)?.[1] ?? null
  } catch {
    return null
  }
}
