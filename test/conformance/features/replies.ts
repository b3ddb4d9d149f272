// Features of replies: what an upstream says that its client's dialect may have no place for. There is no sample to
// write: every recorded reply and stream of an upstream that says it is one.

import type { CollectedChoice, TurnCollector } from '../../../src/translate/collect.ts'
import type { DialectId } from '../../../src/translate/dialect.ts'
import type { Usage } from '../../../src/translate/usage.ts'

export interface ReplyFeature {
  readonly id: string
  readonly about: string
  /** Clients whose dialect has no place for it, with the reason. Only these may fail to show it. */
  readonly unshown: Partial<Record<DialectId, string>>
  /** What the turn says of it, in one form for all dialects, or null. */
  said(turn: TurnCollector): string | null
}

/** A call that the model could not spell ends a reply elsewhere and is a failure in Responses. */
const sound = (turn: TurnCollector): boolean =>
  turn.error === null && turn.choices.every(choice => choice.finish?.reason !== 'malformed-call')

/** The first answer of a turn that ended well; what a broken one shows is the error. */
const first = (turn: TurnCollector): CollectedChoice | null =>
  sound(turn) ? (turn.choices[0] ?? null) : null

const usageOf = (turn: TurnCollector): Usage | null =>
  sound(turn) ? (turn.usageTold ?? turn.head?.usage ?? null) : null

const ofUsage =
  (count: (usage: Usage) => number | null) =>
  (turn: TurnCollector): string | null => {
    const usage = usageOf(turn)
    const told = usage === null ? null : count(usage)
    return told === null || told === 0 ? null : String(told)
  }

const finished =
  (reason: string) =>
  (turn: TurnCollector): string | null =>
    first(turn)?.finish?.reason === reason ? reason : null

/** Input of custom tools is told apart by what the client asked for, which a recorded reply does not know. */
const calls = (turn: TurnCollector, least: number): string | null => {
  const made = first(turn)?.parts.filter(part => part.kind === 'call' && part.complete) ?? []
  if (made.length < least || made.some(part => part.call?.custom === true)) return null
  const lines = made.map(({ call, input }) => {
    const space = call?.namespace == null ? '' : `${call.namespace}__`
    return `${space}${call?.name} ${input.replace(/\s/g, '')}`
  })
  return lines.some(line => line.startsWith('run_code ')) ? null : lines.join('\n')
}

const NO_REASON = 'has no such finish reason: the nearest one is told'
const NO_TRACE = 'knows the hosted tools of its own vendor only'
const NOT_ASKED = 'has no place for images: who asks for them is refused'

export const REPLY_FEATURES: readonly ReplyFeature[] = [
  {
    id: 'text',
    about: 'the words of the answer',
    unshown: {},
    said: turn => first(turn)?.textOf('text') || null,
  },
  {
    id: 'reasoning',
    about: 'readable reasoning',
    unshown: {},
    said: turn => first(turn)?.textOf('reasoning').replace(/\s+/g, '') || null,
  },
  {
    id: 'reasoning-material',
    about: 'signatures and encrypted reasoning, for the client to bring back',
    unshown: {},
    said: turn => (first(turn)?.parts.some(part => part.opaque !== null) ? 'carried' : null),
  },
  {
    id: 'call',
    about: 'a call, its name and its arguments',
    unshown: {},
    said: turn => calls(turn, 1),
  },
  {
    id: 'several-calls',
    about: 'several calls, in their order',
    unshown: {},
    said: turn => calls(turn, 2),
  },
  {
    id: 'citations',
    about: 'sources of what is said, by their addresses',
    unshown: { 'anthropic-messages': 'its citations hold what only its vendor can issue' },
    said: turn => {
      const urls = (first(turn)?.parts ?? []).flatMap(part =>
        part.citations.flatMap(citation => (citation.url === null ? [] : [citation.url])),
      )
      return urls.length === 0 ? null : [...new Set(urls)].sort().join(' ')
    },
  },
  {
    id: 'refusal',
    about: 'the model declines',
    unshown: {
      'bedrock-converse': 'a refusal is told as text',
      'gemini-generate': 'a refusal is told as text',
    },
    said: turn => {
      const choice = first(turn)
      return choice?.finish?.reason === 'refusal' || choice?.textOf('refusal') ? 'refused' : null
    },
  },
  { id: 'ended-by-length', about: 'the limit was reached', unshown: {}, said: finished('length') },
  {
    id: 'ended-by-calls',
    about: 'calls wait for results',
    unshown: { 'gemini-generate': NO_REASON },
    said: finished('calls'),
  },
  {
    id: 'ended-by-stop-text',
    about: 'a stop text matched',
    unshown: {
      'openai-chat': NO_REASON,
      'openai-responses': NO_REASON,
      'gemini-generate': NO_REASON,
    },
    said: finished('stop-text'),
  },
  {
    id: 'ended-by-filter',
    about: 'a filter ended the answer',
    unshown: { 'anthropic-messages': 'a filter is told as a refusal' },
    said: finished('filter'),
  },
  {
    id: 'token-probabilities',
    about: 'probabilities of tokens',
    unshown: {
      'anthropic-messages': 'has no log probabilities',
      'bedrock-converse': 'has no log probabilities',
    },
    said: turn => {
      const tokens = first(turn)?.parts.flatMap(part => part.logprobs.map(entry => entry.token)) ?? []
      return tokens.length === 0 ? null : tokens.join('')
    },
  },
  {
    id: 'further-answers',
    about: 'more than one answer',
    unshown: {
      'openai-responses': 'has one answer; who asks for more is refused',
      'anthropic-messages': 'has one answer; who asks for more is refused',
      'bedrock-converse': 'has one answer; who asks for more is refused',
    },
    said: turn =>
      turn.choices.length > 1 ? turn.choices.map(choice => choice.textOf('text')).join('|') : null,
  },
  {
    id: 'drawn-image',
    about: 'an image the model drew',
    unshown: { 'openai-chat': NOT_ASKED, 'openai-responses': NOT_ASKED, 'anthropic-messages': NOT_ASKED },
    said: turn =>
      first(turn)?.parts.some(part => part.kind === 'media' && part.media?.media === 'image')
        ? 'drawn'
        : null,
  },
  {
    id: 'traces-of-hosted-tools',
    about: 'what tools did that ran at the vendor',
    unshown: {
      'openai-chat': NO_TRACE,
      'openai-responses': NO_TRACE,
      'anthropic-messages': NO_TRACE,
      'bedrock-converse': NO_TRACE,
      'gemini-generate': NO_TRACE,
    },
    said: turn => (first(turn)?.parts.some(part => part.kind === 'vendor') ? 'traced' : null),
  },
  {
    id: 'usage',
    about: 'tokens of input and output',
    unshown: {},
    said: turn => {
      const usage = usageOf(turn)
      return usage === null || usage.estimated ? null : `${usage.inputTokens} ${usage.outputTokens}`
    },
  },
  {
    id: 'usage-read-from-cache',
    about: 'input read from a cache',
    unshown: {},
    said: ofUsage(usage => usage.cacheReadTokens),
  },
  {
    id: 'usage-written-to-cache',
    about: 'input written to a cache',
    unshown: { 'gemini-generate': 'counts reads only' },
    said: ofUsage(usage => usage.cacheWriteTokens),
  },
  {
    id: 'usage-of-reasoning',
    about: 'output spent on reasoning',
    unshown: { 'bedrock-converse': 'does not count it apart' },
    said: ofUsage(usage => usage.reasoningTokens),
  },
  {
    id: 'error-within',
    about: 'an error after the reply has begun',
    unshown: {},
    said: turn => (turn.error === null ? null : 'failed'),
  },
]
