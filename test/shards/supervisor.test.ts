// The supervisor and its shards over real message ports; threads, sockets and exchanges are stand-ins.

import { afterEach, describe, expect, test } from 'vitest'
import type { Snapshot } from '../../src/telemetry/index.ts'
import { planOf, until, World } from './support.ts'

let world = new World()
afterEach(async () => {
  await world.end()
  world = new World()
})

function value(snapshot: Snapshot, name: string, ...labels: string[]): number | undefined {
  const rows = snapshot.find(metric => metric.name === name)?.rows
  return rows?.find(row => row.labels.join() === labels.join())?.values[0]
}

const served = (snapshot: Snapshot) => value(snapshot, 'sluice_exchanges_total', '/v1/chat/completions', 'ok')

describe('starting', () => {
  test('ends when every shard listens', async () => {
    const supervisor = world.supervise(planOf())
    expect(supervisor.phase).toBe('starting')
    await supervisor.start()
    expect(supervisor.phase).toBe('serving')
    expect(supervisor.facts().map(({ state }) => state)).toEqual(['ready', 'ready'])
    expect(supervisor.listeners).toEqual([{ name: 'llm', address: '127.0.0.1', port: 40_000 }])
    expect(world.shards.every(({ acceptors }) => acceptors[0]!.state === 'listening')).toBe(true)
  })

  test('fails as a whole, with the reason, when one shard cannot', async () => {
    world.broken.add(0)
    const supervisor = world.supervise(planOf())
    await expect(supervisor.start()).rejects.toThrow('port 0 is broken')
    await until(() => world.shards.every(({ ended }) => ended), 'all shards have ended')
  })
})

describe('a shard that ends by itself', () => {
  test('is started anew, counted by reason and logged, and its neighbour notices nothing', async () => {
    const supervisor = world.supervise(planOf())
    await supervisor.start()
    const neighbour = world.living(2)
    neighbour.gateway.running = 1
    world.living(1).gateway.running = 3
    world.living(1).shard.crash(new Error('a bug'))
    await until(() => supervisor.facts()[0]!.restarts === 1, 'the restart is counted')
    await until(() => supervisor.facts()[0]!.state === 'ready', 'shard 1 is back')
    expect(neighbour.gateway.running).toBe(1)
    expect(neighbour.ended).toBe(false)
    expect(supervisor.facts()[0]!.lastEnd).toBe('crashed: a bug')
    const snapshot = await supervisor.snapshot()
    expect(value(snapshot, 'sluice_shard_restarts_total', 'crashed')).toBe(1)
    expect(value(snapshot, 'sluice_shard_exchanges_cut_total', 'crashed')).toBe(3)
    const lines = world.log.filter(({ level }) => level === 'error')
    expect(lines[0]).toMatchObject({ msg: 'uncaught error in a shard', shard: 1, error: 'a bug' })
    expect(String(lines[0]!['stack'])).toContain('supervisor.test.ts')
    expect(lines[1]).toMatchObject({ msg: 'shard ended', reason: 'crashed', cut: 3 })
  })

  test('closes its acceptors before its thread ends', async () => {
    const supervisor = world.supervise(planOf())
    await supervisor.start()
    const dying = world.living(1)
    dying.shard.crash('not even an error')
    expect(dying.acceptors[0]!.state).toBe('stopped')
    await until(() => dying.ended, 'the shard has ended')
    expect(dying.acceptors[0]!.state).toBe('closed')
    expect(dying.gateway.closed).toBe(true)
  })

  test('is tried less and less often while it keeps failing', async () => {
    const supervisor = world.supervise(planOf())
    await supervisor.start()
    const startedMs: number[] = []
    for (let time = 0; time < 3; time += 1) {
      await until(() => world.living(1) !== undefined, 'shard 1 lives')
      await until(() => supervisor.facts()[0]!.state === 'ready', 'shard 1 serves')
      startedMs.push(performance.now())
      world.living(1).shard.crash(new Error('again'))
      await until(() => supervisor.facts()[0]!.state === 'waiting', 'shard 1 waits')
    }
    await until(() => supervisor.facts()[0]!.state === 'ready', 'shard 1 serves again')
    expect(startedMs[1]! - startedMs[0]!).toBeGreaterThanOrEqual(100)
    expect(startedMs[2]! - startedMs[1]!).toBeGreaterThanOrEqual(200)
  })

  test('takes nothing from the sums: what it had counted stays', async () => {
    const supervisor = world.supervise(planOf())
    await supervisor.start()
    for (const number of [1, 1, 1, 2]) world.living(number).gateway.serve()
    expect(served(await supervisor.snapshot())).toBe(4)
    world.living(1).shard.crash(new Error('a bug'))
    await until(() => supervisor.facts()[0]!.state === 'waiting', 'shard 1 is gone')
    expect(served(await supervisor.snapshot())).toBe(4)
    await until(() => supervisor.facts()[0]!.state === 'ready', 'shard 1 is back')
    world.living(1).gateway.serve()
    const after = await supervisor.snapshot()
    expect(served(after)).toBe(5)
    expect(value(after, 'sluice_shards', 'ready')).toBe(2)
  })
})

describe('a shard whose loop does not turn', () => {
  // The stand-ins share one thread, so a loop that stands still is played by a pulse that stops.
  const stop = (number: number) => {
    const { shard } = world.living(number)
    const { delay } = shard as unknown as { delay: { stop(): void } }
    delay.stop()
  }

  test('is ended with the place where it was stuck, and started anew', async () => {
    const supervisor = world.supervise(planOf())
    await supervisor.start()
    const stuck = world.living(1)
    stop(1)
    await until(() => stuck.ended, 'the stuck shard is ended')
    expect(stuck.acceptors[0]!.state).toBe('closed')
    await until(() => supervisor.facts()[0]!.restarts === 1, 'the restart is counted')
    await until(() => supervisor.facts()[0]!.state === 'ready', 'shard 1 is back')
    expect(supervisor.facts()[0]!.lastEnd).toBe('unresponsive: stuck in spin (busy.js:7)')
    expect(value(await supervisor.snapshot(), 'sluice_shard_restarts_total', 'unresponsive')).toBe(1)
    expect(supervisor.facts()[1]!.restarts).toBe(0)
  })

  test('and that cannot be ended is told as such', async () => {
    world.evictFails = true
    const supervisor = world.supervise(planOf())
    await supervisor.start()
    stop(1)
    await until(() => supervisor.facts()[0]!.state === 'stuck', 'shard 1 is stuck')
    expect(world.log.at(-1)).toMatchObject({ level: 'error', shard: 1 })
    expect(value(await supervisor.snapshot(), 'sluice_shards', 'stuck')).toBe(1)
  })
})

describe('another plan', () => {
  const listeners = [{}, { name: 'second', port: 0 }]

  test('is used by all shards from one epoch on; its new listeners are open, its old ones take nobody', async () => {
    const supervisor = world.supervise(planOf())
    await supervisor.start()
    const used = await supervisor.usePlan(planOf({ listeners: [{ name: 'second' }], hash: 'b' }))
    expect(used.epoch).toBe(2)
    expect(supervisor.plan).toBe(used)
    for (const { gateway, acceptors } of world.shards) {
      expect(gateway.plan).toMatchObject({ epoch: 2, hash: 'b' })
      expect(acceptors.map(({ state }) => state)).toEqual(['stopped', 'listening'])
    }
    expect(supervisor.listeners.map(({ name }) => name)).toEqual(['second'])
    expect(value(await supervisor.snapshot(), 'sluice_plan_epoch')).toBe(2)
    expect(value(await supervisor.snapshot(), 'sluice_plan_info', 'b')).toBe(1)
  })

  test('is that of every exchange that begins after the turn, before any message has arrived', async () => {
    const supervisor = world.supervise(planOf({ hash: 'a' }))
    await supervisor.start()
    // The moment is noticed from outside: the supervisor calls its plan current in the same step.
    const begun: string[][] = []
    const changed = supervisor.usePlan(planOf({ hash: 'b' }))
    while (supervisor.plan.hash === 'a') {
      for (const shard of world.shards) shard.begin()
      begun.push(world.shards.map(({ gateway }) => gateway.plan.hash))
      await Promise.resolve()
      if (supervisor.plan.hash === 'a') await new Promise(setImmediate)
    }
    expect(supervisor.facts().map(({ epoch }) => epoch)).toEqual([1, 1])
    for (const shard of world.shards) shard.begin()
    expect(world.shards.map(({ gateway }) => gateway.plan.hash)).toEqual(['b', 'b'])
    expect(begun.flat().every(hash => hash === 'a')).toBe(true)
    await changed
    expect(supervisor.facts().map(({ epoch }) => epoch)).toEqual([2, 2])
    expect(supervisor.switchMs).toBeLessThan(1_000)
  })

  test('leaves listeners that it keeps alone', async () => {
    const supervisor = world.supervise(planOf())
    await supervisor.start()
    await supervisor.usePlan(planOf({ listeners }))
    for (const { acceptors } of world.shards) {
      expect(acceptors.map(({ listener, state }) => [listener.name, state])).toEqual([
        ['llm', 'listening'],
        ['second', 'listening'],
      ])
    }
  })

  test('counts the connections of a removed listener, which takes no new ones', async () => {
    const supervisor = world.supervise(planOf())
    await supervisor.start()
    const [old] = world.living(1).acceptors
    old!.connections = 1
    await supervisor.usePlan(planOf({ listeners: [{ name: 'second' }] }))
    expect(old!.state).toBe('stopped')
    expect(value(await supervisor.snapshot(), 'sluice_client_connections', '1', 'retired')).toBe(1)
  })

  test('that one shard cannot open changes nothing anywhere', async () => {
    const supervisor = world.supervise(planOf({ hash: 'a' }))
    await supervisor.start()
    // A port that can be claimed and that no acceptor can open.
    world.broken.add(40_999)
    const bad = planOf({ listeners: [{}, { name: 'bad', port: 40_999 }], hash: 'b' })
    await expect(supervisor.usePlan(bad)).rejects.toThrow('port 40999 is broken')
    expect(supervisor.plan).toMatchObject({ epoch: 1, hash: 'a' })
    for (const { gateway, acceptors } of world.shards) {
      expect(gateway.plan.hash).toBe('a')
      expect(acceptors[0]!.state).toBe('listening')
      expect(acceptors.slice(1).every(({ state }) => state === 'closed')).toBe(true)
    }
    const good = await supervisor.usePlan(planOf({ listeners, hash: 'c' }))
    expect(good.epoch).toBe(2)
  })

  test('reaches a shard that was away when it came', async () => {
    const supervisor = world.supervise(planOf())
    await supervisor.start()
    world.living(1).shard.crash(new Error('a bug'))
    await supervisor.usePlan(planOf({ hash: 'b' }))
    await until(() => supervisor.facts()[0]!.restarts === 1, 'the restart is counted')
    await until(() => supervisor.facts()[0]!.state === 'ready', 'shard 1 is back')
    await until(() => supervisor.facts()[0]!.epoch === 2, 'shard 1 follows')
    expect(world.living(1).gateway.plan.hash).toBe('b')
  })

  test('and another come one after the other', async () => {
    const supervisor = world.supervise(planOf())
    await supervisor.start()
    const both = await Promise.all([
      supervisor.usePlan(planOf({ hash: 'b' })),
      supervisor.usePlan(planOf({ hash: 'c' })),
    ])
    expect(both.map(({ epoch }) => epoch)).toEqual([2, 3])
    expect(supervisor.plan.hash).toBe('c')
  })

  test('is refused once the gateway drains', async () => {
    const supervisor = world.supervise(planOf())
    await supervisor.start()
    const drained = supervisor.drain()
    await expect(supervisor.usePlan(planOf())).rejects.toThrow('draining')
    await drained
  })
})

describe('draining', () => {
  test('waits for what runs, then ends without having cut anything', async () => {
    const supervisor = world.supervise(planOf({ server: { drainMs: 5_000 } }))
    await supervisor.start()
    const { gateway, acceptors } = world.living(1)
    gateway.running = 1
    const drained = supervisor.drain()
    await until(() => acceptors[0]!.state === 'stopped', 'nobody is accepted')
    expect(supervisor.phase).toBe('draining')
    gateway.running = 0
    expect(await drained).toBe(0)
    expect(supervisor.phase).toBe('ended')
    expect(world.shards.every(({ ended, gateway: { closed } }) => ended && closed)).toBe(true)
  })

  test('cuts what does not finish in time, and says how many', async () => {
    const supervisor = world.supervise(planOf({ server: { drainMs: 100 } }))
    await supervisor.start()
    world.living(1).gateway.running = 2
    world.living(2).gateway.running = 1
    const startMs = performance.now()
    expect(await supervisor.drain()).toBe(3)
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(100)
    expect(world.shards.every(({ acceptors }) => acceptors[0]!.state === 'closed')).toBe(true)
  })

  test('counts a client that never takes the rest of its reply as cut', async () => {
    const supervisor = world.supervise(planOf({ server: { drainMs: 50 } }))
    await supervisor.start()
    world.living(1).acceptors[0]!.connections = 1
    expect(await supervisor.drain()).toBe(1)
  })

  test('counts what a shard cut that crashed meanwhile', async () => {
    const supervisor = world.supervise(planOf({ server: { drainMs: 5_000 } }))
    await supervisor.start()
    world.living(1).gateway.running = 2
    const drained = supervisor.drain()
    world.living(1).shard.crash(new Error('a bug'))
    expect(await drained).toBe(2)
  })

  test('can be cut short', async () => {
    const supervisor = world.supervise(planOf({ server: { drainMs: 60_000 } }))
    await supervisor.start()
    world.living(2).gateway.running = 1
    const drained = supervisor.drain()
    await until(() => supervisor.cutIfEnded === 1, 'the running exchange is known')
    expect(await supervisor.endNow()).toBe(true)
    expect(await drained).toBe(1)
  })
})

describe('lines of shards', () => {
  test('reach the log, and stop when the log takes none', async () => {
    world.takeLines = false
    const supervisor = world.supervise(planOf())
    await supervisor.start()
    const { log } = world.living(1).gateway.telemetry
    for (let at = 0; at < 4_000; at += 1) log.write('info', 'x'.repeat(400))
    const startMs = performance.now()
    for (let at = 0; at < 4_000; at += 1) log.write('info', 'x'.repeat(400))
    // Nobody waited for the log.
    expect(performance.now() - startMs).toBeLessThan(1_000)
    await until(() => world.log.length > 200, 'the first batches arrive')
    const dropped = value(await supervisor.snapshot(), 'sluice_log_lines_dropped_total', 'shard')!
    expect(dropped).toBeGreaterThan(5_000)
    expect(dropped + world.log.length).toBeLessThan(8_000)
  })
})
