// Keys of our own: `server`, `upstream`, `admin`. No reference file has them, so none changes its meaning.

import { z } from 'zod'
import { tls } from './listeners.ts'
import { duration, flag, name, pick, port, secret, size, wait, whole } from './pieces.ts'

/** More shards than this share no port sensibly. */
const SHARDS_MAX = 256

export const server = z
  .strictObject({
    shards: whole('Threads that serve; default: cores less one, at least 1.', 1, SHARDS_MAX).optional(),
    acceptor: pick('Socket server; `auto` takes uws where it loads.', ['auto', 'uws', 'node']).default(
      'auto',
    ),
    drain: duration('How long running replies may go on after SIGTERM.').default('30s'),
    body_bytes_max: size('Largest request body.').default('32MiB'),
    header_bytes_max: size('Largest request header block.').default('64KiB'),
    headers_wait_max: wait('From the first byte of a request to the end of its headers.').default('10s'),
    body_wait_max: wait('Between two pieces of a request body.').default('30s'),
    idle_max: wait('An unused connection is closed after this.').default('75s'),
    reply_pending_bytes_max: size(
      'Reply bytes that may wait for a slow client before its upstream is paused.',
    ).default('256KiB'),
    hosted_models: flag(
      "Let the reference maker's host choose routes, agents and functions. Prompts are sent there.",
    ).default(false),
    fetch_images: flag(
      'Fetch images that prompts name by address, from public addresses, where a model takes them by value only.',
    ).default(false),
    tls: tls.optional().describe('Certificate of every listener that has none of its own.'),
  })
  .describe('The process and its bounds.')

export const upstream = z
  .strictObject({
    connect: wait(
      'Bound for connecting, TLS included. Default: `overrides.upstream_connect_timeout`, else 10s.',
    ).optional(),
    headers: wait('From the end of the request to the status of the reply.').default('300s'),
    first_byte: wait("From the end of the request to the first byte of the reply's body.").default('300s'),
    first_content: wait(
      'Streams: from the end of the request to the first piece of model output; frames that keep alive are none.',
    ).default('300s'),
    between_bytes: wait('Longest silence inside a reply.').default('120s'),
    slow_start: wait(
      'A stream that begins later counts against its upstream as if it had failed, though it is passed on.',
    ).default('120s'),
    connections_max: whole('Sockets per origin and shard; over HTTP/2, streams.', 1, 100_000).default(8_192),
    http2: pick('HTTP/2: `auto` where an https upstream offers it.', ['never', 'auto']).default('never'),
  })
  .describe('Waits and sockets towards providers.')

export const admin = z
  .strictObject({
    address: name('Address to bind; anything but loopback needs a token.').optional(),
    port: port('TCP port; 0 lets the system choose.').optional(),
    token: secret('Bearer token that admin requests must show.').optional(),
  })
  .describe('Health, metrics and the plan in use. Default 127.0.0.1:9092, or METRICS_BIND_ADDRESS.')
