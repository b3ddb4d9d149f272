// The processes of one run: upstream and generator for its whole length, each peer from its start to the end. Owns
// jobs and their time-out.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Child, killAll, start } from './children.ts'
import type { GeneratorReply } from './generator.ts'
import { type Job, type JobResult, type PeerFacts, scenarioNamed, type Settings } from './scenarios/index.ts'
import type { Peer, Target } from './targets/index.ts'

const HERE = import.meta.dirname
/** A job that takes longer is stuck; the generator is replaced. */
const JOB_MS_MAX = 120_000
const START_MS_MAX = 10_000

export interface Pins {
  readonly peer: string | null
  readonly others: string | null
}

export class Session {
  readonly folder: string
  readonly cacheFolder: string
  readonly pins: Pins
  readonly peers: Map<string, Peer>
  upstream: Child | null
  upstreamPort: number
  generator: Child | null

  constructor(cacheFolder: string, pins: Pins) {
    this.folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
    this.cacheFolder = cacheFolder
    this.pins = pins
    this.peers = new Map()
    this.upstream = null
    this.upstreamPort = 0
    this.generator = null
    process.once('exit', () => {
      killAll()
      rmSync(this.folder, { recursive: true, force: true })
    })
  }

  async open(): Promise<void> {
    this.upstream = this.ours('upstream.js')
    const ready = await message<{ port: number }>(this.upstream, START_MS_MAX)
    this.upstreamPort = ready.port
    this.generator = this.ours('generator.js')
  }

  private ours(file: string): Child {
    return start({ command: process.execPath, args: [resolve(HERE, file)], ipc: true, pin: this.pins.others })
  }

  async startPeer(target: Target, version: string, nodeArgs: readonly string[] = []): Promise<Peer> {
    await this.stopPeer(target.name)
    const folder = join(this.folder, target.name)
    mkdirSync(folder, { recursive: true })
    const { upstreamPort, cacheFolder, pins } = this
    const peer = await target.start({ upstreamPort, folder, cacheFolder, pin: pins.peer, nodeArgs }, version)
    this.peers.set(target.name, peer)
    return peer
  }

  async stopPeer(name: string): Promise<void> {
    await this.peers.get(name)?.stop()
    this.peers.delete(name)
  }

  async run(scenario: string, peer: Peer, settings: Settings): Promise<JobResult> {
    if (this.generator === null || this.generator.process.exitCode !== null)
      this.generator = this.ours('generator.js')
    const job: Job = { scenario, peer: facts(peer), direct: this.directFacts(), settings }
    const longerMs = (settings.secondsAsked ?? 0) * 1_000
    const msMax = (scenarioNamed(scenario)?.msMax ?? JOB_MS_MAX) + longerMs
    const answer = message<GeneratorReply>(this.generator, msMax)
    this.generator.process.send(job)
    try {
      const reply = await answer
      if (reply.kind === 'failed') throw new Error(reply.message)
      return reply
    } catch (cause) {
      await this.generator.stop()
      this.generator = null
      throw cause
    }
  }

  private directFacts(): PeerFacts {
    return {
      name: 'direct',
      port: this.upstreamPort,
      path: '/v1/chat/completions',
      headers: {},
      model: 'gpt-4o-mini',
      check: 'bytes',
      models: null,
      pids: [],
      adminPort: null,
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.peers.values()].map(peer => peer.stop()))
    await Promise.all([this.generator?.stop(), this.upstream?.stop()])
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** What of a peer crosses to the generator. */
function facts({ name, port, path, headers, model, models, check, pids, adminPort }: Peer): PeerFacts {
  return { name, port, path, headers, model, models, check, pids, adminPort }
}

function message<T>(child: Child, waitMsMax: number): Promise<T> {
  return new Promise((done, failed) => {
    const settle = (act: () => void): void => {
      clearTimeout(timer)
      child.process.off('message', onMessage)
      child.process.off('exit', onExit)
      act()
    }
    const onMessage = (value: unknown): void => settle(() => done(value as T))
    const onExit = (code: number | null): void =>
      settle(() => failed(new Error(`ended with code ${code}: ${child.output()}`)))
    const timer = setTimeout(
      () => settle(() => failed(new Error(`no word within ${waitMsMax} ms`))),
      waitMsMax,
    )
    child.process.on('message', onMessage)
    child.process.on('exit', onExit)
  })
}
