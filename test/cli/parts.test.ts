// The parts of the command line that stand alone: differences, logs that rotate, templates, probes, the login.

import { mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer as createHttp, type Server as HttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Follower } from '../../src/cli/commands/logs.ts'
import { diffLines } from '../../src/cli/diff.ts'
import { isAlive, lockFolder, processBirth } from '../../src/cli/instance.ts'
import { reasonOf } from '../../src/cli/launch.ts'
import { portHolder } from '../../src/cli/port-holder.ts'
import { probeOrigin, probePostgres, probeRedis } from '../../src/cli/probes.ts'
import { RotatingFile, TrimmedFile } from '../../src/cli/rotating-file.ts'
import { maskedFileText } from '../../src/cli/secrets.ts'
import { TEMPLATES } from '../../src/cli/templates.ts'
import { loadPlan } from '../../src/common/config/index.ts'
import { newPlace, type Place, sluice } from './run.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-parts-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('a difference', () => {
  test('of equal texts is empty', () => expect(diffLines('a\nb\n', 'a\nb\n')).toEqual([]))

  test('applied to the first text gives the second', () => {
    const before = Array.from({ length: 40 }, (_, at) => `line ${at}`)
    const after = before
      .filter((_, at) => at % 7 !== 3)
      .flatMap((line, at) => (at % 9 === 2 ? [line, 'new'] : [line]))
    const lines = diffLines(before.join('\n'), after.join('\n'))
    expect(lines.filter(line => line.startsWith('+'))).toHaveLength(
      after.filter(line => line === 'new').length,
    )
    expect(lines.filter(line => line.startsWith('-')).map(line => line.slice(1))).toEqual(
      before.filter((_, at) => at % 7 === 3),
    )
  })

  test('shows three lines around a change and where it stands', () => {
    const text = 'a\nb\nc\nd\ne\nf\ng\nh\n'
    expect(diffLines(text, text.replace('f', 'F'))).toEqual([
      '@@ -3 +3 @@',
      ' c',
      ' d',
      ' e',
      '-f',
      '+F',
      ' g',
      ' h',
    ])
  })
})

describe('a log', () => {
  test('is kept in so many files of so many bytes, and ends with what came last', async () => {
    const path = join(folder, 'rotating.log')
    const log = new RotatingFile(path, { bytesMax: 1_000, filesMax: 2 })
    for (let line = 0; line < 500; line++) {
      await new Promise<void>(done => log.write(`${String(line).padStart(19, '0')}\n`, () => done()))
    }
    log.end()
    await finished(log)
    const files = readdirSync(folder)
      .filter(name => name.startsWith('rotating.log'))
      .sort()
    expect(files).toEqual(['rotating.log', 'rotating.log.1', 'rotating.log.2'])
    const texts = ['rotating.log.2', 'rotating.log.1', 'rotating.log'].map(name =>
      readFileSync(join(folder, name), 'utf8'),
    )
    for (const text of texts) expect(text.length).toBeLessThanOrEqual(1_000)
    expect(texts.join('').trimEnd().split('\n').at(-1)).toBe('499'.padStart(19, '0'))
  })

  test('is followed across its rotation without losing a line', async () => {
    const path = join(folder, 'followed.log')
    writeFileSync(path, '')
    const follower = new Follower(path)
    const log = new RotatingFile(path, { bytesMax: 200, filesMax: 3 })
    const seen: string[] = []
    for (let line = 0; line < 60; line++) {
      await new Promise<void>(done => log.write(`line ${line}\n`, () => done()))
      seen.push(...follower.read())
    }
    follower.close()
    log.destroy()
    expect(seen).toEqual(Array.from({ length: 60 }, (_, at) => `line ${at}`))
  })

  test('that people read keeps its end in place', () => {
    const path = join(folder, 'trimmed.log')
    const messages = new TrimmedFile(openSync(path, 'a+'), 400)
    for (let line = 0; line < 200; line++) messages.write(`message ${line}\n`)
    expect(statSync(path).size).toBeLessThanOrEqual(420)
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
    expect(lines.at(-1)).toBe('message 199')
    expect(lines[0]).toMatch(/^message \d+$/)
  })
})

describe('a process', () => {
  test('is known by its id and its birth, so that a later one with the same id is another', () => {
    const birth = processBirth(process.pid)
    expect(birth).not.toBeNull()
    expect(isAlive({ pid: process.pid, birth })).toBe(true)
    expect(isAlive({ pid: process.pid, birth: 'before' })).toBe(false)
  })

  test('that starts a gateway keeps others from starting the same, unless it has died', () => {
    const own = join(folder, 'locked')
    const unlock = lockFolder(own)
    expect(() => lockFolder(own)).toThrow('another command')
    unlock()
    lockFolder(own)
    writeFileSync(join(own, 'starting.lock'), `${process.pid} before`)
    lockFolder(own)()
  })

  test.runIf(process.platform === 'linux')('that holds a port is found', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise(done => server.once('listening', done))
    expect(portHolder((server.address() as AddressInfo).port)?.pid).toBe(process.pid)
    server.close()
  })

  test('that ended says why, not that it was waiting', () => {
    const text = 'still starting: waiting for 1 shard\ncannot start: port 1 is taken\n'
    expect(reasonOf(text, 2)).toBe('cannot start: port 1 is taken')
    expect(reasonOf('', 'SIGKILL')).toBe('it ended with SIGKILL and said nothing')
  })
})

describe('a template', () => {
  const env = { OPENAI_API_KEY: 'k', ANTHROPIC_API_KEY: 'k' }
  test.each(TEMPLATES)('$id is served as it stands, without a warning', ({ id, text }) => {
    const file = join(folder, `${id}.yaml`)
    writeFileSync(file, text)
    expect(loadPlan({ file, cwd: folder, env }).notes.warnings).toEqual([])
  })
})

test('text of a file shows no key, in any of its forms', () => {
  const text =
    '  access_key: abcdefgh\n{access_key: "abcdefgh"}\naccess_key: $NAME\n  x-api-key: abcdefgh\nurl: redis://u:abcdefgh@h\n'
  const shown = maskedFileText(text)
  expect(shown).not.toContain('abcdefgh')
  expect(shown).toContain('$NAME')
})

describe('a probe', () => {
  let server: Server
  let port: number
  beforeAll(async () => {
    server = createServer(socket => {
      socket.on('error', () => {})
      socket.on('data', data => {
        if (data[7] === 0x2f) socket.write('N')
        else if (String(data).includes('secret-word')) socket.write('+OK\r\n+PONG\r\n')
        else socket.write('-NOAUTH Authentication required.\r\n')
      })
    }).listen(0, '127.0.0.1')
    await new Promise(done => server.once('listening', done))
    port = (server.address() as AddressInfo).port
  })
  afterAll(() => server.close())

  test('of Redis signs in and asks for a sign of life', async () => {
    expect(await probeRedis(`redis://:secret-word@127.0.0.1:${port}`)).toEqual({
      ok: true,
      detail: 'answers PING',
    })
    expect((await probeRedis(`redis://127.0.0.1:${port}`)).detail).toContain('NOAUTH')
  })

  test('of PostgreSQL asks only whether it is one', async () => {
    expect((await probePostgres(`postgres://u:p@127.0.0.1:${port}/db`)).ok).toBe(true)
  })

  test('of a provider says what is in the way', async () => {
    expect((await probeOrigin(`http://127.0.0.1:${port}`)).ok).toBe(true)
    expect((await probeOrigin('http://127.0.0.1:1')).detail).toContain('nothing listens there')
    expect((await probeOrigin('https://no-such-host.invalid')).detail).toMatch(/^DNS: /)
  })
})

describe('the login of a ChatGPT subscription', () => {
  let place: Place
  let issuer: HttpServer
  let polls = 0
  const asked: string[] = []
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const token = `${part({})}.${part({ exp: 4_102_444_800, 'https://api.openai.com/auth': { chatgpt_account_id: 'acc-1' } })}.sig`

  beforeAll(async () => {
    place = newPlace()
    issuer = createHttp((request, response) => {
      let body = ''
      request.on('data', chunk => (body += String(chunk)))
      request.on('end', () => {
        asked.push(`${request.url} ${body}`)
        const answer = (status: number, document: unknown): void => {
          response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(document))
        }
        if (request.url?.endsWith('/usercode')) {
          answer(200, { device_auth_id: 'd1', user_code: 'ABCD-1234', interval: '0' })
        } else if (request.url?.endsWith('/deviceauth/token')) {
          polls += 1
          if (polls < 3) answer(403, {})
          else answer(200, { authorization_code: 'code-1', code_verifier: 'verifier-1', code_challenge: 'c' })
        } else answer(200, { access_token: token, refresh_token: 'refresh-never-shown', id_token: token })
      })
    }).listen(0, '127.0.0.1')
    await new Promise(done => issuer.once('listening', done))
  })
  afterAll(() => {
    issuer.close()
    place.remove()
  })

  test('shows a code, waits until it was typed, keeps the tokens for the owner only, and shows none', async () => {
    const url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`
    const ran = await sluice(place, ['chatgpt', 'login', '--issuer', url, '--poll-ms', '20'])
    expect(ran.code, ran.err).toBe(0)
    expect(ran.out).toContain('ABCD-1234')
    expect(ran.out).toContain('account acc-1')
    expect(ran.out + ran.err).not.toContain('never-shown')
    expect(polls).toBe(3)
    expect(asked.at(-1)).toContain('code_verifier=verifier-1')
    const file = join(place.home, '.plano/chatgpt/auth.json')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      tokens: { access_token: token, refresh_token: 'refresh-never-shown', account_id: 'acc-1' },
    })
    const status = await sluice(place, ['chatgpt', 'status'])
    expect(status).toMatchObject({ code: 0, err: '' })
    expect(status.out).toContain('good until 2100-01-01')
    await sluice(place, ['chatgpt', 'logout'])
    expect((await sluice(place, ['chatgpt', 'status'])).code).toBe(1)
  })
})
