// `agents`, `filters`, `endpoints`: what lives on other hosts and is called on the way.

import { z } from 'zod'
import { flag, name, pick, url, wait } from './pieces.ts'

export const agent = z.strictObject({
  id: name('Unique over agents and filters.'),
  url: url('Address of the agent, with scheme.'),
})

export const filter = z.strictObject({
  id: name('Unique over agents and filters.'),
  url: url('Address of the filter, with scheme.'),
  type: pick('`mcp`: a tool of an MCP server. `http`: the body is posted to the URL plus request path.', [
    'mcp',
    'http',
  ]).default('mcp'),
  transport: pick('Transport of MCP.', ['streamable-http']).optional(),
  tool: name('Name of the MCP tool; default: `id`.').optional(),
})

export const endpoint = z.strictObject({
  endpoint: name('`host` or `host:port`, without scheme.'),
  protocol: pick('Protocol towards the endpoint.', ['http', 'https']).default('http'),
  connect_timeout: wait('Bound for connecting; default `overrides.upstream_connect_timeout`.').optional(),
  http_host: name('Host header; default: the host.').optional(),
  prefix_affinity: flag('Send equal prompt prefixes to the same address.').default(false),
})

export type AgentEntry = z.output<typeof agent>
export type FilterEntry = z.output<typeof filter>
export type EndpointEntry = z.output<typeof endpoint>
