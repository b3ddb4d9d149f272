// `state_storage` and `tracing`.

import { z } from 'zod'
import { flag, list, name, pick, secret, url, whole } from './pieces.ts'

export const stateStorage = z
  .strictObject({
    type: pick('Where conversation state lives.', ['memory', 'postgres']),
    connection_string: secret('`postgres://` address; required for postgres.').optional(),
  })
  .describe('State of the Responses API.')

const exporter = z.strictObject({
  type: pick('Kind of exporter.', ['posthog']),
  url: url('Address; `/batch/` is appended.'),
  api_key: secret('Key of the project.'),
  distinct_id_header: name('Header that identifies the person.').optional(),
  capture_messages: flag('Send message texts too.').default(false),
})

export const tracing = z
  .strictObject({
    random_sampling: whole('Per cent of requests that are traced.', 0, 100).default(0),
    opentracing_grpc_endpoint: url('`http://host:port` of an OTLP/gRPC receiver.').optional(),
    trace_arch_internal: flag('Accepted for old files; has no meaning.').optional(),
    span_attributes: z
      .strictObject({
        header_prefixes: list('Headers with these prefixes become attributes.', name('A prefix.')).optional(),
        static: z
          .record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String))
          .describe('Attributes of every span.')
          .optional(),
      })
      .describe('Attributes of spans.')
      .optional(),
    exporters: list('Where generations are reported.', exporter).optional(),
  })
  .describe('Traces.')
