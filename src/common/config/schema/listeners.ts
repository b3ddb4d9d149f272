// `listeners`: the sockets. The legacy map has become a list before this schema sees it.

import { z } from 'zod'
import { duration, flag, list, name, pick, port, text, whole } from './pieces.ts'

export const tls = z
  .strictObject({
    certificate_file: name('PEM file with the certificate chain, leaf first.'),
    key_file: name('PEM file with the private key.'),
  })
  .describe('Serve HTTPS. The files are read again when the configuration is reloaded.')

const listenerAgent = z.strictObject({
  id: name('Id of an entry in `agents`.'),
  description: text('What the agent is for; the orchestrator chooses by it.'),
  default: flag('Used when orchestration selects nothing; without one the first agent is.').default(false),
  input_filters: list(
    'Filters that run before this agent, in order.',
    name('Id of a filter or agent.'),
  ).optional(),
})

export const listener = z.strictObject({
  type: pick('`model`: calls to models. `prompt`: prompt targets. `agent`: orchestrated agents.', [
    'model',
    'prompt',
    'agent',
  ]),
  name: name('Name in logs, metrics and messages.'),
  port: port('TCP port; 0 lets the system choose. Default 12000 for model, 10000 for prompt.').optional(),
  address: name('Address to bind.').default('0.0.0.0'),
  timeout: duration('Bound of a whole request; 0s: none. Default 300s, for agent listeners 30s.').optional(),
  max_retries: whole(
    'Further attempts at the same provider after a failure before the first byte.',
    0,
    20,
  ).optional(),
  keep_alive: duration(
    'Silence after which a stream of events shows its client a sign of life; 0s: never. Default 15s.',
  ).optional(),
  router: pick('Accepted for old files; has no meaning.', ['plano_orchestrator_v1']).optional(),
  agents: list('Candidates of an agent listener.', listenerAgent).optional(),
  input_filters: list(
    'Filters over requests of a model listener, in order.',
    name('Id of a filter or agent.'),
  ).optional(),
  output_filters: list(
    'Filters over replies of a model listener, in order.',
    name('Id of a filter or agent.'),
  ).optional(),
  tls: tls.optional(),
})

const legacyListener = z.strictObject({
  address: name('Address to bind.').optional(),
  port: port('TCP port.').optional(),
  timeout: duration('Bound of a whole request.').optional(),
  message_format: pick('Accepted for old files; has no meaning.', ['openai']).optional(),
})

/** Only for editors: what files up to v0.2 wrote instead of a list. */
export const legacyListeners = z
  .strictObject({
    egress_traffic: legacyListener.optional().describe('Becomes a model listener.'),
    ingress_traffic: legacyListener.optional().describe('Becomes a prompt listener.'),
  })
  .describe('Deprecated form of `listeners`.')

export type ListenerEntry = z.output<typeof listener>
