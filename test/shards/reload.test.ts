// Attempts at another plan: what each leaves behind, in use, in the history and in what is told.

import { beforeEach, describe, expect, test } from 'vitest'
import type { Plan } from '../../src/common/config/index.ts'
import { ConfigErrors } from '../../src/common/config/issues.ts'
import { Secret } from '../../src/common/config/secret.ts'
import { changedPaths, restartPaths } from '../../src/shards/plan-changes.ts'
import { NoSuchPlan, Reloader } from '../../src/shards/index.ts'
import { Log } from '../../src/telemetry/index.ts'
import { planOf } from './support.ts'

const clock = { monotonicMs: () => 0, epochMs: () => 1_700_000_000_000 }
const base = planOf({ hash: hashOf('a') })
let lines: string[] = []
let next: () => Plan = () => base
let use: (plan: Plan) => Promise<void> = async () => {}
let reloader: Reloader

beforeEach(() => {
  lines = []
  use = async () => {}
  let { epoch } = base
  reloader = new Reloader({
    plan: base,
    load: async () => next(),
    use: async plan => {
      await use(plan)
      epoch += 1
      return { plan: { ...plan, epoch }, switchMs: 3 }
    },
    log: new Log('info', clock, {}, line => lines.push(line)),
    clock,
  })
})

function hashOf(letter: string): string {
  return letter.repeat(64)
}

/** A plan that differs in one number. */
function changed(letter: string, drainMs: number): Plan {
  return { ...base, hash: hashOf(letter), server: { ...base.server, drainMs } }
}

function wrong(message: string): () => Plan {
  return () => {
    const place = { file: 'config.yaml', line: 3, column: 5, path: 'server.drain' }
    throw new ConfigErrors([{ code: 'E01', severity: 'error', ...place, message }], [])
  }
}

function metric(name: string, label = ''): number | undefined {
  const rows = reloader.snapshot().find(family => family.name === name)?.rows
  return rows?.find(({ labels }) => labels.join() === label)?.values[0]
}

describe('an attempt', () => {
  test('that finds another plan uses it, and says which keys changed', async () => {
    next = () => changed('b', 5)
    const report = await reloader.reload('request')
    expect(report).toMatchObject({
      source: 'request',
      result: 'used',
      hash: hashOf('b'),
      epoch: 2,
      changed: ['server.drainMs'],
      switchMs: 3,
      errors: [],
    })
    expect(reloader.plan.hash).toBe(hashOf('b'))
    expect(reloader.health()).toEqual({ ok: true, hash: hashOf('b'), epoch: 2, errors: [], restart: [] })
    expect(metric('sluice_config_reloads_total', 'used')).toBe(1)
    expect(lines.join()).toContain('server.drainMs')
  })

  test('that finds the same plan changes nothing and leaves no trace in the history', async () => {
    next = () => ({ ...base, providers: base.providers.map(one => ({ ...one, sourceNote: 'moved' })) })
    expect((await reloader.reload('file')).result).toBe('unchanged')
    expect(reloader.plan).toBe(base)
    expect(reloader.reports()).toHaveLength(1)
  })

  test('that finds the same entries in another order uses them', async () => {
    next = () => ({ ...base, hash: hashOf('b') })
    expect(await reloader.reload('file')).toMatchObject({ result: 'used', changed: ['(order of entries)'] })
  })

  test('that finds a wrong file changes nothing, and the exact message is told until it is right again', async () => {
    next = wrong('must be a duration')
    const report = await reloader.reload('file')
    const message = 'config.yaml:3:5 server.drain: E01 must be a duration'
    expect(report).toMatchObject({ result: 'refused', hash: null, epoch: 1, errors: [message] })
    expect(reloader.plan).toBe(base)
    expect(reloader.health()).toMatchObject({ ok: false, hash: base.hash, errors: [message] })
    expect(metric('sluice_config_ok')).toBe(0)
    expect(metric('sluice_config_reloads_total', 'refused')).toBe(1)
    expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'error', errors: message, hash: base.hash })
    next = () => base
    await reloader.reload('file')
    expect(reloader.health()).toMatchObject({ ok: true, errors: [] })
    expect(metric('sluice_config_ok')).toBe(1)
  })

  test('that cannot be used changes nothing', async () => {
    next = () => changed('b', 5)
    use = () => Promise.reject(new Error('port 80 on :: is taken'))
    expect(await reloader.reload('signal')).toMatchObject({
      result: 'failed',
      hash: hashOf('b'),
      epoch: 1,
      errors: ['port 80 on :: is taken'],
    })
    expect(reloader.plan).toBe(base)
  })

  test('names what takes effect only after a restart', async () => {
    const { server, admin } = base
    next = () => ({ ...changed('b', 5), server: { ...server, shards: 7 }, admin: { ...admin, port: 1 } })
    const { restart } = await reloader.reload('file')
    expect(restart).toEqual(['server.shards', 'admin.port'])
    expect(reloader.health().restart).toEqual(restart)
  })

  test('is shared by all who ask while it waits for its turn', async () => {
    let loads = 0
    let finish = () => {}
    next = () => changed(String((loads += 1)), loads)
    use = () => new Promise(done => (finish = done))
    const first = reloader.reload('file')
    await new Promise(setImmediate)
    const rest = [reloader.reload('request'), reloader.reload('signal'), reloader.reload('request')]
    finish()
    use = async () => {}
    expect((await first).hash).toBe(hashOf('1'))
    expect(new Set(await Promise.all(rest)).size).toBe(1)
    expect(loads).toBe(2)
  })

  test('for files that somebody has read since does not take place and leaves no trace', async () => {
    next = wrong('broken')
    await reloader.reload('request')
    expect(await reloader.noticed(async () => false)).toBeNull()
    expect(await reloader.noticed(async () => true)).toMatchObject({ result: 'refused', source: 'file' })
    expect(metric('sluice_config_reloads_total', 'refused')).toBe(2)
  })

  test('that somebody asks for takes place, whoever was there first', async () => {
    next = () => changed('b', 5)
    const noticed = reloader.noticed(async () => false)
    const asked = reloader.reload('request')
    expect(await asked).toMatchObject({ result: 'used' })
    expect(await noticed).toBe(await asked)
  })

  test('is looked at when its turn comes, so that a way back is not undone by the file it leads away from', async () => {
    const first = reloader.plan.hash
    let read = 'a'
    let file = 'a'
    next = () => {
      read = file
      return changed('b', 5)
    }
    file = 'b'
    const asked = reloader.reload('request')
    await new Promise(setImmediate)
    // The watch sees the same change a little later.
    const noticed = reloader.noticed(async () => read !== file)
    const back = reloader.rollback(first)
    expect((await asked).result).toBe('used')
    expect(await noticed).toBeNull()
    await back
    expect(reloader.plan.hash).toBe(first)
  })
})

describe('the history', () => {
  test('is bounded, newest first, and counts what repeats', async () => {
    for (let at = 0; at < 30; at += 1) {
      next = () => changed('b', at)
      await reloader.reload('file')
    }
    next = wrong('broken')
    for (let at = 0; at < 50; at += 1) await reloader.reload('file')
    const reports = reloader.reports()
    expect(reports).toHaveLength(20)
    expect(reports[0]).toMatchObject({ result: 'refused', times: 50 })
    expect(reports[1]).toMatchObject({ result: 'used', epoch: 31 })
  })

  test('leads back to the plan before, and to a named one', async () => {
    for (const [at, letter] of ['b', 'c'].entries()) {
      next = () => changed(letter, at)
      await reloader.reload('file')
    }
    expect(await reloader.rollback(null)).toMatchObject({
      source: 'rollback',
      result: 'used',
      hash: hashOf('b'),
    })
    expect(await reloader.rollback('aaaaaaaa')).toMatchObject({ result: 'used', hash: hashOf('a'), epoch: 5 })
    expect(reloader.plan.server).toEqual(base.server)
    expect(await reloader.rollback(hashOf('c'))).toMatchObject({ result: 'used', epoch: 6 })
  })

  test('does not lead where nobody was, nor where too short a name points', async () => {
    await expect(reloader.rollback(null)).rejects.toThrow(NoSuchPlan)
    await expect(reloader.rollback('ffffffff')).rejects.toThrow('there is aaaaaaaaaaaa')
    await expect(reloader.rollback('a')).rejects.toThrow(NoSuchPlan)
    expect(reloader.plan).toBe(base)
  })
})

describe('what changed', () => {
  const provider = {
    ...base.providers[0],
    name: 'openai/a',
    accessKeys: [new Secret('key-number-one')],
    headers: ['x-a', '1'],
  } as unknown as Plan['providers'][number]
  const plan = { ...base, providers: [provider, { ...provider, name: 'openai/b' }] } as Plan

  test('is told without any value, secrets told apart all the same', () => {
    const rotated = { ...provider, accessKeys: [new Secret('key-number-two')] } as unknown as typeof provider
    const paths = changedPaths(plan, { ...plan, providers: [rotated, plan.providers[1]!] })
    expect(paths).toEqual(['providers[openai/a].accessKeys[0]'])
  })

  test('goes by names where there are names, so that order and neighbours do not matter', () => {
    const [first, second] = plan.providers
    expect(changedPaths(plan, { ...plan, providers: [second!, first!] })).toEqual([])
    expect(changedPaths(plan, { ...plan, providers: [second!] })).toEqual(['providers[openai/a]'])
  })

  test('tells an admin token from the one before, which the hash does not', () => {
    const admin = { ...plan.admin, token: new Secret('first-token') }
    const other = { ...plan.admin, token: new Secret('other-token') }
    expect(changedPaths({ ...plan, admin }, { ...plan, admin: other })).toEqual(['admin.token'])
    expect(changedPaths(plan, { ...plan, admin })).toEqual(['admin.token'])
    expect(restartPaths({ ...plan, admin }, { ...plan, admin: other })).toEqual([])
  })

  test('is bounded', () => {
    const aliases = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`alias${at}`, 'openai/a']))
    const paths = changedPaths(plan, { ...plan, aliases })
    expect(paths).toHaveLength(101)
    expect(paths[100]).toBe('and 200 more')
  })
})
