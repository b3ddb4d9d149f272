// Pictures fetched from where callers say: only from out in the world, only pictures, within bounds. The world is this
// machine under other names: the tests say which of its addresses count as public.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo, LookupFunction } from 'node:net'
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Clock } from '../../src/common/clock.ts'
import { GatewayError } from '../../src/common/errors.ts'
import {
  createImageFetcher,
  type ImageFetcher,
  type ImageOptions,
  isPublicAddress,
} from '../../src/upstream/index.ts'
import { until } from '../support/fake-upstream/index.ts'

const pem = (name: string): string =>
  readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url), 'utf8')
const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')
const MIB = 1024 * 1024

type Answer = (request: IncomingMessage, response: ServerResponse) => void

let server: Server
let port: number
let asked: string[]
let answer: Answer
let fetchers: ImageFetcher[]
let resolved: string[]

beforeEach(async () => {
  asked = []
  resolved = []
  fetchers = []
  answer = (_request, response) => response.end(PNG)
  server = createServer((request, response) => {
    asked.push(
      `${request.socket.localAddress?.replace('::ffff:', '')} ${request.headers.host} ${request.url}`,
    )
    answer(request, response)
  })
  await new Promise<void>(resolve => server.listen(0, resolve))
  port = (server.address() as AddressInfo).port
})

afterEach(async () => {
  await Promise.all(fetchers.map(fetcher => fetcher.close()))
  server.closeAllConnections()
  await new Promise(resolve => server.close(resolve))
})

/** Names lead where `names` says, address by address; by default this machine's first address is the public one. */
function fetcher(names: Record<string, string | string[]> = {}, more: ImageOptions = {}): ImageFetcher {
  const lookup = ((host: string, options: { all?: boolean }, callback: (...args: unknown[]) => void) => {
    resolved.push(host)
    const found = [names[host] ?? '127.0.0.1'].flat()
    const all = found.map(address => ({ address, family: address.includes(':') ? 6 : 4 }))
    if (options.all === true) callback(null, all)
    else callback(null, all[0]!.address, all[0]!.family)
  }) as LookupFunction
  const made = createImageFetcher({ lookup, allowed: address => address === '127.0.0.1', ...more })
  fetchers.push(made)
  return made
}

/** As it is outside of tests: nothing of this machine counts as public. */
function strict(names: Record<string, string | string[]> = {}): ImageFetcher {
  return fetcher(names, { allowed: isPublicAddress })
}

async function failure(asking: Promise<unknown>): Promise<GatewayError> {
  const thrown = await asking.then(
    () => null,
    (error: unknown) => error,
  )
  expect(thrown).toBeInstanceOf(GatewayError)
  return thrown as GatewayError
}

const here = (path = '/a.png', host = 'pictures.example') => `http://${host}:${port}${path}`

test('a picture is fetched, and its type is what its bytes say', async () => {
  answer = (_request, response) => response.setHeader('content-type', 'text/plain').end(PNG)
  const image = await fetcher().fetch(here('/a?token=1'))
  expect(image.mime).toBe('image/png')
  expect(Buffer.from(image.bytes)).toEqual(PNG)
  expect(asked).toEqual([`127.0.0.1 pictures.example:${port} /a?token=1`])
})

test.each([
  ['image/jpeg', Buffer.from('ffd8ffe000104a464946', 'hex')],
  ['image/gif', Buffer.from('GIF89a...')],
  ['image/gif', Buffer.from('GIF87a...')],
  ['image/webp', Buffer.from('RIFF\x10\x00\x00\x00WEBPVP8 ')],
])('%s is known', async (mime, bytes) => {
  answer = (_request, response) => response.end(bytes)
  expect((await fetcher().fetch(here())).mime).toBe(mime)
})

describe('nothing is connected to', () => {
  test.each([
    'http://127.0.0.1:PORT/',
    'http://127.0.0.1.:PORT/',
    'http://127.1:PORT/',
    'http://2130706433:PORT/',
    'http://0x7f000001:PORT/',
    'http://0x7f.1:PORT/',
    'http://0177.0.0.1:PORT/',
    'http://0:PORT/',
    'http://１２７.0.0.1:PORT/',
    'http://[::1]:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'http://[0:0:0:0:0:ffff:7f00:1]:PORT/',
    'http://[64:ff9b::7f00:1]:PORT/',
    'http://[2002:7f00:1::]:PORT/',
    'http://169.254.169.254/latest/meta-data/',
    'http://[fd00:ec2::254]/latest/meta-data/',
    'http://10.0.0.7/a.png',
  ])('at %s', async url => {
    const error = await failure(strict().fetch(url.replace('PORT', String(port))))
    expect(error).toMatchObject({ kind: 'bad-request', code: 'image_not_fetched' })
    expect(error.message).toMatch(/^the image at [^/ ]+ is not at a public address$/)
    expect(asked).toEqual([])
  })

  test.each([
    ['loopback', '127.0.0.1'],
    ['metadata', '169.254.169.254'],
    ['mapped', '::ffff:127.0.0.1'],
    ['translated', '64:ff9b::a9fe:a9fe'],
    ['one of several', ['8.8.8.8', '127.0.0.1']],
    ['one of several, the other way', ['127.0.0.1', '8.8.8.8']],
    ['no address', []],
  ])('by a name that leads to %s', async (_what, address) => {
    const error = await failure(strict({ 'evil.example': address }).fetch(here('/', 'evil.example')))
    expect(error.message).toBe(`the image at evil.example:${port} is not at a public address`)
    expect(resolved).toEqual(['evil.example'])
    expect(asked).toEqual([])
  })

  test('by the system’s own names for this machine', async () => {
    const made = createImageFetcher()
    fetchers.push(made)
    expect((await failure(made.fetch(here('/', 'localhost')))).message).toContain('not at a public address')
    expect(asked).toEqual([])
  })

  test.each([
    ['ftp://pictures.example/a.png', 'must be at an https address'],
    ['file:///etc/passwd', 'must be at an https address'],
    ['gopher://pictures.example/', 'must be at an https address'],
    ['http://user:pass@pictures.example/', 'must not name a user'],
    ['http://', 'is no address'],
    ['pictures.example/a.png', 'is no address'],
  ])('by %s', async (url, why) => {
    const error = await failure(fetcher().fetch(url))
    expect([error.kind, error.message]).toEqual(['bad-request', expect.stringContaining(why)])
    expect(resolved).toEqual([])
  })
})

describe('a name that changes its mind', () => {
  test('is judged by the address that is connected to, each time', async () => {
    const names = { 'rebind.example': '127.0.0.1' }
    const fetching = fetcher(names)
    answer = (_request, response) => response.setHeader('connection', 'close').end(PNG)
    await fetching.fetch(here('/1', 'rebind.example'))
    names['rebind.example'] = '127.0.0.2'
    const error = await failure(fetching.fetch(here('/2', 'rebind.example')))
    expect(error.message).toContain('not at a public address')
    expect(asked).toEqual([`127.0.0.1 rebind.example:${port} /1`])
    // One question per connection: there is no second answer between judging and connecting.
    expect(resolved).toEqual(['rebind.example', 'rebind.example'])
  })
})

describe('a redirect', () => {
  const redirectTo = (location: string, status = 302): Answer => {
    return ({ url }, response) => {
      if (url === '/a.png') response.writeHead(status, { location }).end()
      else response.end(PNG)
    }
  }

  test.each([301, 302, 303, 307, 308])('with %i is followed, also to another host', async status => {
    answer = redirectTo(here('/b.png', 'other.example'), status)
    expect((await fetcher().fetch(here())).mime).toBe('image/png')
    expect(asked.map(line => line.split(' ')[1])).toEqual([
      `pictures.example:${port}`,
      `other.example:${port}`,
    ])
  })

  test('within its host is followed', async () => {
    answer = redirectTo('b.png?x=1')
    await fetcher().fetch(here())
    expect(asked[1]).toBe(`127.0.0.1 pictures.example:${port} /b.png?x=1`)
  })

  test.each([
    ['an address', 'http://127.0.0.2:PORT/secret'],
    ['a number', 'http://2130706434:PORT/secret'],
    ['a name', 'http://inner.example:PORT/secret'],
    ['metadata', 'http://169.254.169.254/latest/meta-data/'],
  ])('to what is not public by %s goes nowhere', async (_what, location) => {
    answer = redirectTo(location.replace('PORT', String(port)))
    const error = await failure(fetcher({ 'inner.example': '127.0.0.2' }).fetch(here()))
    expect(error.message).toContain('is not at a public address')
    expect(asked).toHaveLength(1)
  })

  test.each([
    ['file:///etc/passwd', 'must be at an https address'],
    ['http://u:p@pictures.example/', 'must not name a user'],
    ['http://', 'is redirected to no address'],
  ])('to %s goes nowhere', async (location, why) => {
    answer = redirectTo(location)
    expect((await failure(fetcher().fetch(here()))).message).toContain(why)
    expect(asked).toHaveLength(1)
  })

  test('without end is left', async () => {
    answer = ({ url }, response) => response.writeHead(302, { location: `${url}x` }).end()
    expect((await failure(fetcher().fetch(here()))).message).toContain('redirected more than 3 times')
    expect(asked).toHaveLength(4)
  })

  test('that leads nowhere is an answer without a picture', async () => {
    answer = (_request, response) => response.writeHead(302).end()
    expect((await failure(fetcher().fetch(here()))).message).toContain('status 302')
  })

  test('from a secure address to an open one goes nowhere', async () => {
    const secure = createSecureServer(
      { key: pem('localhost.key'), cert: pem('localhost.pem') },
      (_, response) => response.writeHead(302, { location: here() }).end(),
    )
    await new Promise<void>(resolve => secure.listen(0, resolve))
    const url = `https://localhost:${(secure.address() as AddressInfo).port}/a.png`
    const trusting = fetcher({ localhost: '127.0.0.1' }, { ca: pem('authority.pem') })
    expect((await failure(trusting.fetch(url))).message).toContain('must be at an https address')
    // Certificates are checked here as everywhere.
    expect((await failure(fetcher({ localhost: '127.0.0.1' }).fetch(url))).message).toContain(
      'cannot be reached',
    )
    expect(asked).toEqual([])
    secure.closeAllConnections()
    await new Promise(resolve => secure.close(resolve))
  })
})

describe('what comes is refused when it', () => {
  test.each<[string, Answer, string]>([
    [
      'is a page',
      (_, r) => r.setHeader('content-type', 'image/png').end('<html>'),
      'is no PNG, JPEG, GIF or WebP',
    ],
    ['is a drawing with scripts', (_, r) => r.end('<svg xmlns="x"/>'), 'is no PNG'],
    ['is nothing', (_, r) => r.end(), 'is no PNG'],
    ['is not there', (_, r) => r.writeHead(404).end(PNG), 'was answered with status 404'],
    ['is encoded', (_, r) => r.writeHead(200, { 'content-encoding': 'gzip' }).end(PNG), 'came encoded'],
    [
      'announces too much',
      (_, r) => void r.writeHead(200, { 'content-length': 11 * MIB }).write(PNG),
      'is larger than',
    ],
    [
      'is cut',
      (request, r) =>
        void r.writeHead(200, { 'content-length': 99 }).write(PNG, () => request.socket.destroy()),
      'came broken',
    ],
  ])('%s', async (_what, given, why) => {
    answer = given
    const error = await failure(fetcher().fetch(here()))
    expect([error.kind, error.code]).toEqual(['bad-request', 'image_not_fetched'])
    expect(error.message).toContain(`the image at pictures.example:${port} `)
    expect(error.message).toContain(why)
  })

  test('never ends: it is left at the bound', async () => {
    let given = 0
    answer = (_request, response) => {
      response.write(PNG)
      const more = (): void => {
        if (response.destroyed) return
        given += MIB
        response.write(Buffer.alloc(MIB), more)
      }
      more()
    }
    expect((await failure(fetcher().fetch(here()))).message).toContain('is larger than 10485760 bytes')
    expect(given).toBeLessThan(64 * MIB)
  })

  test.each<[string, Answer]>([
    ['does not come', () => {}],
    ['stops in its middle', (_request, response) => void response.write(PNG)],
  ])('%s: the wait is bounded', async (_what, given) => {
    let aheadMs = 0
    const clock: Clock = {
      epochMs: () => Date.now(),
      monotonicMs: () => performance.now() + aheadMs,
    }
    answer = (request, response) => {
      given(request, response)
      // Behind the sweep that sees the call first, from which its time is counted.
      setTimeout(() => (aheadMs = 10_001), 250)
    }
    expect((await failure(fetcher({}, { clock }).fetch(here()))).message).toContain(
      'did not come within 10 s',
    )
  })

  test('is at a host that is not there', async () => {
    const error = await failure(fetcher().fetch('http://pictures.example:9/a.png?secret=1'))
    expect(error.message).toBe('the image at pictures.example:9 is at a host that cannot be reached')
  })
})

test('a few are fetched at once, some wait, and more are refused', async () => {
  const open: ServerResponse[] = []
  answer = (_request, response) => void open.push(response)
  const fetching = fetcher()
  const all = Array.from({ length: 80 }, (_, at) => fetching.fetch(here(`/${at}`, `h${at}.example`)))
  const outcomes = Promise.allSettled(all)
  const most: number[] = []
  for (let done = 0; done < 72; ) {
    await until('some are asked for', () => open.length > 0)
    await new Promise(resolve => setTimeout(resolve, 5))
    most.push(open.length)
    for (const response of open.splice(0)) {
      response.end(PNG)
      done += 1
    }
  }
  const ended = await outcomes
  expect(Math.max(...most)).toBeLessThanOrEqual(8)
  expect(ended.filter(({ status }) => status === 'fulfilled')).toHaveLength(72)
  for (const one of ended) {
    if (one.status === 'rejected') expect(one.reason).toMatchObject({ kind: 'overloaded' })
  }
})
