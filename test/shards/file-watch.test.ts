// Files change in many ways; each is noticed once, and only when it is complete.

import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FileWatch } from '../../src/shards/index.ts'
import { until } from './support.ts'

let folder = ''
let watch: FileWatch | null = null
let changes = 0
/** Long enough that only events can be the reason. */
const NO_POLL_MS = 60_000
/** Longer than it takes to notice and to wait for rest. */
const QUIET_MS = 400

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-watch-'))
  changes = 0
})
afterEach(() => {
  watch?.close()
  rmSync(folder, { recursive: true, force: true })
})

async function watching(files: readonly string[], pollMs = NO_POLL_MS, readAtMs = Date.now() + 1_000) {
  watch = new FileWatch({ changed: async () => void (changes += 1), pollMs })
  await watch.watch(files, readAtMs)
}

const quiet = () => new Promise(done => setTimeout(done, QUIET_MS))
const noticed = (times: number, what: string) => until(() => changes >= times, what)

describe.each([
  ['by events', NO_POLL_MS],
  ['without events', 50],
])('noticed %s', (_how, pollMs) => {
  test('a file written in place', async () => {
    const file = join(folder, 'config.yaml')
    writeFileSync(file, 'a')
    await watching([file], pollMs)
    writeFileSync(file, 'b')
    await noticed(1, 'the change is noticed')
    await quiet()
    expect(changes).toBe(1)
  })

  test('a file that an editor replaces', async () => {
    const file = join(folder, 'config.yaml')
    writeFileSync(file, 'a')
    await watching([file], pollMs)
    for (const [at, text] of ['b', 'c'].entries()) {
      writeFileSync(`${file}~`, text)
      renameSync(`${file}~`, file)
      await noticed(at + 1, `replacement ${at + 1} is noticed`)
    }
  })

  test('a folder that Kubernetes swaps behind a link', async () => {
    for (const version of ['..1', '..2', '..3']) {
      mkdirSync(join(folder, version))
      writeFileSync(join(folder, version, 'config.yaml'), version)
    }
    symlinkSync('..1', join(folder, '..data'))
    symlinkSync(join('..data', 'config.yaml'), join(folder, 'config.yaml'))
    await watching([join(folder, 'config.yaml')], pollMs)
    for (const [at, version] of ['..2', '..3'].entries()) {
      symlinkSync(version, join(folder, '..data_tmp'))
      renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
      await noticed(at + 1, `swap ${at + 1} is noticed`)
    }
  })

  test('a file that appears where there was none, goes, and comes again', async () => {
    const file = join(folder, 'key.txt')
    await watching([file], pollMs)
    writeFileSync(file, 'a')
    await noticed(1, 'it appeared')
    unlinkSync(file)
    await noticed(2, 'it went')
    writeFileSync(file, 'b')
    await noticed(3, 'it came again')
  })
})

test('a link to a file elsewhere is followed', async () => {
  mkdirSync(join(folder, 'store'))
  const real = join(folder, 'store', 'v1.yaml')
  writeFileSync(real, 'a')
  symlinkSync(real, join(folder, 'config.yaml'))
  await watching([join(folder, 'config.yaml')])
  writeFileSync(real, 'b')
  await noticed(1, 'the change behind the link is noticed')
})

test('a file that is still being written is nobody’s until it rests', async () => {
  const file = join(folder, 'config.yaml')
  writeFileSync(file, '')
  await watching([file])
  for (let line = 0; line < 20; line += 1) {
    appendFileSync(file, `line ${line}\n`)
    await new Promise(done => setTimeout(done, 15))
    expect(changes).toBe(0)
  }
  await noticed(1, 'the finished file is noticed')
  await quiet()
  expect(changes).toBe(1)
})

test('a file that is written again with the same text is no change, and neither is its neighbour', async () => {
  const file = join(folder, 'config.yaml')
  writeFileSync(file, 'a')
  await watching([file], 50)
  writeFileSync(file, 'a')
  writeFileSync(join(folder, 'other.log'), 'x')
  await quiet()
  expect(changes).toBe(0)
})

test('a change between reading and watching is told', async () => {
  const file = join(folder, 'config.yaml')
  const readAtMs = Date.now()
  writeFileSync(file, 'newer than what was read')
  await watching([file], NO_POLL_MS, readAtMs)
  await noticed(1, 'the change is noticed')
})

test('a change while a change is being taken is taken after it', async () => {
  const file = join(folder, 'config.yaml')
  writeFileSync(file, 'a')
  let running = 0
  let most = 0
  watch = new FileWatch({
    pollMs: NO_POLL_MS,
    changed: async () => {
      running += 1
      most = Math.max(most, running)
      if (changes === 0) writeFileSync(file, 'c')
      await quiet()
      running -= 1
      changes += 1
    },
  })
  await watch.watch([file], Date.now() + 1_000)
  writeFileSync(file, 'b')
  await noticed(2, 'both changes are taken')
  expect(most).toBe(1)
})

describe('a change that somebody else has read', () => {
  let file = ''
  /** Somebody reads the files, as for a request. */
  async function readByOther(meanwhile: () => void = () => {}): Promise<void> {
    const readAtMs = Date.now()
    const before = await watch!.contents()
    meanwhile()
    await watch!.watch([file], readAtMs, before)
  }
  beforeEach(async () => {
    file = join(folder, 'config.yaml')
    writeFileSync(file, 'a')
    await watching([file], 50)
  })

  test('is not told of', async () => {
    writeFileSync(file, 'b')
    await readByOther()
    await quiet()
    expect(changes).toBe(0)
    expect(await watch!.isNew()).toBe(false)
  })

  test('while it came to rest is not told of either', async () => {
    writeFileSync(file, 'b')
    // Behind the event, before the second look at the content.
    await new Promise(done => setTimeout(done, 75))
    await readByOther()
    await quiet()
    expect(changes).toBe(0)
  })

  test.each(['c', 'b'])('and that changed to %s meanwhile is told of', async text => {
    writeFileSync(file, 'b')
    await readByOther(() => writeFileSync(file, text))
    await noticed(1, 'the change is noticed')
    expect(await watch!.isNew()).toBe(true)
  })
})

test('after its end nothing is told', async () => {
  const file = join(folder, 'config.yaml')
  writeFileSync(file, 'a')
  await watching([file], 50)
  watch!.close()
  writeFileSync(file, 'b')
  await quiet()
  expect(changes).toBe(0)
})
