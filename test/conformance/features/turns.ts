// Features of turns: instructions, roles, reasoning of earlier turns.

import type { DialectId } from '../../../src/translate/dialect.ts'
import { NATIVE_FAMILY, wrapOpaque, wrapOpaqueBase64 } from '../../../src/translate/opaque.ts'
import { asking, body, type Json, loop, message, text, wishing } from './bodies.ts'
import { type Feature, instructed, samples, some } from './feature.ts'

const hi = (dialect: DialectId): Json => message(dialect, 'user', [text(dialect, 'hi')])
const hello = (dialect: DialectId): Json => {
  const said =
    dialect === 'openai-responses' ? { type: 'output_text', text: 'hello' } : text(dialect, 'hello')
  return message(dialect, 'model', [said])
}
const say = (role: string, content: string): Json => ({ role, content })

/** The value a client holds for material that `family` issued. */
const SIGNED = (upstream: DialectId, client: DialectId): string => {
  // Gemini signs calls; the others sign thoughts. OpenAI's are not signed but encrypted as a whole.
  const id = upstream === 'gemini-generate' ? 'call_1' : null
  const kind = NATIVE_FAMILY[upstream] === 'openai' ? ('encrypted' as const) : ('signature' as const)
  const opaque = { family: NATIVE_FAMILY[upstream], kind, id, value: 'c2lnbmVk' }
  return client === 'gemini-generate' ? wrapOpaqueBase64(opaque, client) : wrapOpaque(opaque, client)
}

/** The wish to think, without which some vendors refuse earlier thoughts. */
const THINKING: Readonly<Record<DialectId, Json>> = {
  'openai-chat': { reasoning_effort: 'low' },
  'openai-responses': { reasoning: { effort: 'low' } },
  'anthropic-messages': { thinking: { type: 'adaptive' } },
  'bedrock-converse': { additionalModelRequestFields: { thinking: { type: 'adaptive' } } },
  'gemini-generate': { generationConfig: { thinkingConfig: { thinkingLevel: 'LOW' } } },
}

/** Hosts of Chat that keep thoughts want the readable ones back. */
const REPLAYS = { 'openai-chat': { replayReasoning: true } } as const

const carriesSignature =
  (value: string) =>
  (prompt: Parameters<Feature['arrived']>[0]): boolean =>
    some(prompt, 'reasoning', part => part.opaque?.value === value) ||
    some(prompt, 'call', part => part.signature?.value === value) ||
    some(prompt, 'text', part => part.signature?.value === value)

const SYSTEM: readonly Feature[] = [
  {
    id: 'system-text',
    about: 'instructions before the first turn',
    samples: samples(
      body('openai-chat', [say('system', 'Be brief.'), hi('openai-chat')]),
      wishing('openai-responses', { instructions: 'Be brief.' }),
      wishing('anthropic-messages', { system: 'Be brief.' }),
      wishing('bedrock-converse', { system: [{ text: 'Be brief.' }] }),
      wishing('gemini-generate', { systemInstruction: { parts: [{ text: 'Be brief.' }] } }),
    ),
    arrived: prompt => instructed(prompt) === 'Be brief.',
  },
  {
    id: 'system-texts-in-order',
    about: 'several instructions, all of them, in their order',
    samples: samples(
      body('openai-chat', [say('system', 'First.'), say('developer', 'Second.'), hi('openai-chat')]),
      body('openai-responses', [say('developer', 'Second.'), hi('openai-responses')], {
        instructions: 'First.',
      }),
      wishing('anthropic-messages', {
        system: [
          { type: 'text', text: 'First.' },
          { type: 'text', text: 'Second.' },
        ],
      }),
      wishing('bedrock-converse', { system: [{ text: 'First.' }, { text: 'Second.' }] }),
      wishing('gemini-generate', { systemInstruction: { parts: [{ text: 'First.' }, { text: 'Second.' }] } }),
    ),
    arrived: prompt => /^First\.\s+Second\.$/.test(instructed(prompt)),
  },
  {
    id: 'system-text-between-turns',
    about: 'instructions after the first turn, at their place',
    samples: samples(
      body('openai-chat', [
        hi('openai-chat'),
        hello('openai-chat'),
        say('system', 'Later.'),
        hi('openai-chat'),
      ]),
      body('openai-responses', [
        hi('openai-responses'),
        hello('openai-responses'),
        say('developer', 'Later.'),
        hi('openai-responses'),
      ]),
      body('anthropic-messages', [
        hi('anthropic-messages'),
        hello('anthropic-messages'),
        hi('anthropic-messages'),
        say('system', 'Later.'),
      ]),
      body('bedrock-converse', [
        hi('bedrock-converse'),
        hello('bedrock-converse'),
        hi('bedrock-converse'),
        { role: 'system', content: [{ text: 'Later.' }] },
      ]),
      null,
    ),
    arrived: prompt =>
      prompt.turns.some((turn, index) =>
        turn.parts.some(part => index > 0 && part.kind === 'text' && part.text.includes('Later.')),
      ),
  },
  {
    id: 'participant-name',
    about: 'the name of who speaks',
    samples: samples(
      body('openai-chat', [{ role: 'user', content: 'hi', name: 'ada' }]),
      null,
      null,
      null,
      null,
    ),
    arrived: prompt => prompt.turns.some(turn => turn.name === 'ada'),
  },
  {
    id: 'prefill',
    about: 'a last turn of the model, to be continued',
    samples: samples(
      body('openai-chat', [hi('openai-chat'), hello('openai-chat')]),
      body('openai-responses', [hi('openai-responses'), hello('openai-responses')]),
      body('anthropic-messages', [hi('anthropic-messages'), hello('anthropic-messages')]),
      body('bedrock-converse', [hi('bedrock-converse'), hello('bedrock-converse')]),
      body('gemini-generate', [hi('gemini-generate'), hello('gemini-generate')]),
    ),
    arrived: prompt => prompt.turns.at(-1)?.role === 'model',
  },
  {
    id: 'refusal-turn',
    about: 'a refusal of an earlier turn, told apart from text',
    samples: samples(
      body('openai-chat', [
        hi('openai-chat'),
        { role: 'assistant', content: null, refusal: 'No.' },
        hi('openai-chat'),
      ]),
      body('openai-responses', [
        hi('openai-responses'),
        { role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] },
        hi('openai-responses'),
      ]),
      null,
      null,
      null,
    ),
    arrived: prompt =>
      some(prompt, 'refusal', part => part.text === 'No.') ||
      some(prompt, 'text', part => part.text === 'No.'),
  },
]

const REASONING: readonly Feature[] = [
  {
    id: 'reasoning-signed-by-the-upstream',
    about: 'reasoning that this upstream signed, brought back by the client within a tool loop',
    samples: samples(
      upstream =>
        loop('openai-chat', {
          more: THINKING['openai-chat'],
          before: [
            {
              reasoning_details: [
                { type: 'reasoning.text', text: 'Thinking.', signature: SIGNED(upstream, 'openai-chat') },
              ],
            },
          ],
        }),
      upstream =>
        loop('openai-responses', {
          more: THINKING['openai-responses'],
          before: [
            {
              type: 'reasoning',
              summary: [{ type: 'summary_text', text: 'Thinking.' }],
              encrypted_content: SIGNED(upstream, 'openai-responses'),
            },
          ],
        }),
      upstream =>
        loop('anthropic-messages', {
          more: THINKING['anthropic-messages'],
          before: [
            { type: 'thinking', thinking: 'Thinking.', signature: SIGNED(upstream, 'anthropic-messages') },
          ],
        }),
      upstream =>
        loop('bedrock-converse', {
          more: THINKING['bedrock-converse'],
          before: [
            {
              reasoningContent: {
                reasoningText: { text: 'Thinking.', signature: SIGNED(upstream, 'bedrock-converse') },
              },
            },
          ],
        }),
      upstream =>
        loop('gemini-generate', {
          more: THINKING['gemini-generate'],
          before: [
            { text: 'Thinking.', thought: true, thoughtSignature: SIGNED(upstream, 'gemini-generate') },
          ],
        }),
    ),
    facts: REPLAYS,
    arrived: carriesSignature('c2lnbmVk'),
  },
  {
    id: 'reasoning-signed-by-the-client-vendor',
    about: 'reasoning signed by the vendor of the client dialect; no other vendor may see it',
    samples: samples(
      null,
      loop('openai-responses', {
        more: THINKING['openai-responses'],
        before: [{ type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'b3du' }],
      }),
      loop('anthropic-messages', {
        more: THINKING['anthropic-messages'],
        before: [{ type: 'thinking', thinking: 'Thinking.', signature: 'b3du' }],
      }),
      loop('bedrock-converse', {
        more: THINKING['bedrock-converse'],
        before: [{ reasoningContent: { reasoningText: { text: 'Thinking.', signature: 'b3du' } } }],
      }),
      loop('gemini-generate', { more: THINKING['gemini-generate'], ofCall: { thoughtSignature: 'b3du' } }),
    ),
    arrived: carriesSignature('b3du'),
  },
  {
    id: 'reasoning-redacted',
    about: 'reasoning that only its issuer can read',
    samples: samples(
      null,
      null,
      loop('anthropic-messages', {
        more: THINKING['anthropic-messages'],
        before: [{ type: 'redacted_thinking', data: 'c2VjcmV0' }],
      }),
      loop('bedrock-converse', {
        more: THINKING['bedrock-converse'],
        before: [{ reasoningContent: { redactedContent: 'c2VjcmV0' } }],
      }),
      null,
    ),
    arrived: carriesSignature('c2VjcmV0'),
  },
  {
    id: 'reasoning-text',
    about: 'readable reasoning of an earlier turn without a signature',
    samples: samples(
      loop('openai-chat', { more: THINKING['openai-chat'], before: [{ reasoning_content: 'Thinking.' }] }),
      loop('openai-responses', {
        more: THINKING['openai-responses'],
        before: [
          { type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: 'Thinking.' }] },
        ],
      }),
      loop('anthropic-messages', {
        more: THINKING['anthropic-messages'],
        before: [{ type: 'thinking', thinking: 'Thinking.', signature: '' }],
      }),
      loop('bedrock-converse', {
        more: THINKING['bedrock-converse'],
        before: [{ reasoningContent: { reasoningText: { text: 'Thinking.' } } }],
      }),
      loop('gemini-generate', {
        more: THINKING['gemini-generate'],
        before: [{ text: 'Thinking.', thought: true }],
      }),
    ),
    facts: REPLAYS,
    arrived: prompt => some(prompt, 'reasoning', part => part.sections.join('') === 'Thinking.'),
  },
]

const CITED = 'Oslo is sunny.'

const MARKS: readonly Feature[] = [
  {
    id: 'citations-of-earlier-turns',
    about: 'citations in what the model said before',
    samples: samples(
      null,
      body('openai-responses', [
        hi('openai-responses'),
        {
          role: 'assistant',
          content: [
            {
              type: 'output_text',
              text: CITED,
              annotations: [
                {
                  type: 'url_citation',
                  url: 'https://example.com/w',
                  title: 'W',
                  start_index: 0,
                  end_index: 4,
                },
              ],
            },
          ],
        },
        hi('openai-responses'),
      ]),
      body('anthropic-messages', [
        hi('anthropic-messages'),
        message('anthropic-messages', 'model', [
          {
            type: 'text',
            text: CITED,
            citations: [
              {
                type: 'web_search_result_location',
                url: 'https://example.com/w',
                title: 'W',
                cited_text: 'sunny',
                encrypted_index: 'x',
              },
            ],
          },
        ]),
        hi('anthropic-messages'),
      ]),
      body('bedrock-converse', [
        hi('bedrock-converse'),
        message('bedrock-converse', 'model', [
          {
            citationsContent: {
              content: [{ text: CITED }],
              citations: [
                {
                  title: 'W',
                  location: { web: { url: 'https://example.com/w' } },
                  sourceContent: [{ text: 'sunny' }],
                },
              ],
            },
          },
        ]),
        hi('bedrock-converse'),
      ]),
      null,
    ),
    arrived: prompt =>
      some(prompt, 'text', part => part.citations.some(citation => citation.url === 'https://example.com/w')),
  },
  {
    id: 'cache-mark-on-content',
    about: 'a mark up to which the prompt shall be cached',
    samples: samples(
      asking('openai-chat', [{ type: 'text', text: 'hi', prompt_cache_breakpoint: { mode: 'explicit' } }]),
      asking('openai-responses', [
        { type: 'input_text', text: 'hi', prompt_cache_breakpoint: { mode: 'explicit' } },
      ]),
      asking('anthropic-messages', [{ type: 'text', text: 'hi', cache_control: { type: 'ephemeral' } }]),
      asking('bedrock-converse', [{ text: 'hi' }, { cachePoint: { type: 'default' } }]),
      null,
    ),
    arrived: prompt => some(prompt, 'text', part => part.cache !== null),
  },
  {
    id: 'cache-mark-for-long',
    about: 'a cache mark with the longer lifetime',
    samples: samples(
      asking('openai-chat', [
        { type: 'text', text: 'hi', prompt_cache_breakpoint: { mode: 'explicit', ttl: '12h' } },
      ]),
      asking('openai-responses', [
        { type: 'input_text', text: 'hi', prompt_cache_breakpoint: { mode: 'explicit', ttl: '12h' } },
      ]),
      asking('anthropic-messages', [
        { type: 'text', text: 'hi', cache_control: { type: 'ephemeral', ttl: '1h' } },
      ]),
      asking('bedrock-converse', [{ text: 'hi' }, { cachePoint: { type: 'default', ttl: '1h' } }]),
      null,
    ),
    arrived: prompt => some(prompt, 'text', part => part.cache === 'long'),
  },
]

export const TURN_FEATURES: readonly Feature[] = [...SYSTEM, ...REASONING, ...MARKS]
