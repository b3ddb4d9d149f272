// A process with threads that serve on one port, for `threads.test.ts`. One of them ends as the arguments say; what
// became of it, of its neighbours and of the process is printed as one JSON line.

import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { AcceptorKind } from '../../../src/acceptor/index.ts'
import { request, until } from '../contract/bench.ts'
import { RawClient } from '../raw-client.ts'
import type { Ending } from './worker.ts'

const kind = process.argv[2] as AcceptorKind
const ending = process.argv[3] as Ending
const threads = Number(process.argv[4])

interface Started {
  readonly threadId: number
}

/** A port that was free a moment ago: one that the system chooses cannot be shared. */
async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>(done => probe.listen(0, '127.0.0.1', done))
  const { port } = probe.address() as AddressInfo
  await new Promise(done => probe.close(done))
  return port
}

interface Thread {
  readonly worker: Worker
  readonly threadId: number
  readonly exited: Promise<number>
}

async function start(port: number): Promise<Thread> {
  const worker = new Worker(join(import.meta.dirname, 'worker.js'), { workerData: { kind, port } })
  const exited = new Promise<number>(done => worker.once('exit', done))
  const started = await new Promise<Started>((done, failed) => {
    worker.once('message', done)
    worker.on('error', failed)
  })
  return { worker, threadId: started.threadId, exited }
}

const port = await freePort()
const all: Thread[] = []
while (all.length < threads) all.push(await start(port))
const first = all[0]!

/** Which thread answered, for a number of connections. */
const answered = new Set<string>()
for (let count = 0; count < 40; count += 1) {
  const client = await RawClient.connect(port)
  client.send(request('GET /who'))
  answered.add((await client.reply()).body.toString())
  client.destroy()
}

/** Connections in all phases, so that the end has something to cut. */
const clients: RawClient[] = []
for (let count = 0; count < 60; count += 1) {
  const client = await RawClient.connect(port)
  if (count % 4 === 1) client.send('GET /half HTTP/1.1\r\nHost: h\r\n')
  if (count % 4 === 2) client.send(request('GET /never'))
  if (count % 4 === 3) client.send(request('GET /stream'))
  clients.push(client)
}
const streams = clients.filter((_, index) => index % 4 === 3)
await until(() => streams.every(client => client.text.length > 0), 'every stream has begun')

first.worker.postMessage(ending)
if (ending === 'bug') (await RawClient.connect(port)).send(request('GET /bug'))
const exitCode = await first.exited
await new Promise(done => setTimeout(done, 100))
const before = streams.map(client => client.text.length)
await new Promise(done => setTimeout(done, 200))
const alive = streams.filter((client, index) => !client.over && client.text.length > before[index]!).length
const mine = streams.filter(client => client.text.includes(`thread-${first.threadId} `))
const cut = mine.filter(client => client.over).length

for (const client of clients) client.destroy()
for (const { worker, exited } of all.slice(1)) {
  worker.postMessage('close' satisfies Ending)
  await exited
}
console.log(
  JSON.stringify({
    exitCode,
    answeredBy: answered.size,
    streams: streams.length,
    alive,
    mine: mine.length,
    cut,
  }),
)
