// The 125 known faults of the reference, by their numbers, and the test that holds us to the right behaviour. Owns the
// count: every number is here once, and `coverage.test.ts` looks every named test up.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: names of tests, as their files spell them

export type Place =
  /** A test of this folder, made for the fault. */
  | 'here'
  /** A test that was there before, of the module that the fault belongs to. */
  | 'elsewhere'
  /** Not about translation; the test named shows the part that exists. */
  | 'not translation'
  /** Not about translation, and what it is about is not built. */
  | 'not built'

export interface Gap {
  readonly place: Place
  /** File under `test/`, or the reason when nothing is built. */
  readonly file: string
  /** Name of the test as its file spells it; empty when nothing is built. */
  readonly name: string
}

const PROMPTS = 'conformance/prompts.test.ts'
const CONVERSE = 'conformance/converse.test.ts'
const REPLIES = 'conformance/replies.test.ts'
const STREAMS = 'conformance/streams.test.ts'
const GATEWAY = 'conformance/gateway.test.ts'
const RELAY = 'translate/relay.test.ts'
const RELAY_REQUEST = 'translate/relay-request.prop.ts'
const PROVIDERS = 'providers/matrix.test.ts'
const FIXUPS = 'providers/body-fixups.test.ts'

const here = (file: string, name: string): Gap => ({ place: 'here', file, name })
const elsewhere = (file: string, name: string): Gap => ({ place: 'elsewhere', file, name })
const other = (file: string, name: string): Gap => ({ place: 'not translation', file, name })
const unbuilt = (reason: string): Gap => ({ place: 'not built', file: reason, name: '' })

const KEEPS_BYTES = elsewhere(RELAY_REQUEST, 'bytes outside the members that change stay where they are')
const RELAYED_STREAM = elsewhere(RELAY, 'streamed as $name passes untouched')
const OWN_RESPONSES = here(PROMPTS, 'keeps its own members, items and tools when it is written again')
const OWN_MESSAGES = here(
  PROMPTS,
  'keeps the vendor`s own tools, blocks and members when it is written again',
)
const TORN = here(STREAMS, 'is told of errors and torn streams, never of an end')
const LOOSE = here(REPLIES, 'of Bedrock keeps what it says beside new blocks and reasons')

const ROUTING: Readonly<Record<string, Gap>> = {
  'G-01': other(PROVIDERS, '%s clients reach an endpoint that the vendor documents'),
  'G-02': other(PROVIDERS, 'there are nine'),
  'G-03': other(
    PROVIDERS,
    'a base URL with a path replaces the usual root, with any number of slashes at its end',
  ),
  'G-04': other(
    'providers/credentials.test.ts',
    'configured fields come last and replace, whatever the credential said',
  ),
  'G-05': here(REPLIES, 'an upstream that only streams serves a client that asked for the whole'),
  'G-06': here(PROMPTS, 'reaches Claude natively, with the members its compatibility endpoint ignores'),
  'G-07': here(PROMPTS, 'and a Messages prompt reach Responses, with tools and reasoning'),
  'G-08': other(PROVIDERS, 'an id of Bedrock is one segment of the path, whatever is in it'),
  'G-09': here(GATEWAY, 'has the type of what is written, not of what was read'),
  'G-10': here(
    GATEWAY,
    'never takes the caller`s key, cookies or encodings along, and always the configured fields',
  ),
  'G-11': here(GATEWAY, 'keeps the caller`s version of Messages, and has one where the caller has none'),
  'G-12': here(
    GATEWAY,
    'never takes the caller`s key, cookies or encodings along, and always the configured fields',
  ),
  'G-13': other('upstream/pools.prop.ts', 'any history keeps the books right and ends with everyone served'),
  'G-14': other(PROVIDERS, 'every vendor has a row'),
  'G-15': here(GATEWAY, 'is served whatever query or slash its path ends with'),
  'G-16': other('routing/models.test.ts', 'does not carry an id from one known vendor to another'),
  'G-17': other('routing/models.test.ts', 'does not carry an id from one known vendor to another'),
  'G-18': other('routing/catalogue.test.ts', 'modalities of the entry are facts of the model'),
  'G-19': elsewhere(FIXUPS, 'a fallback is sent nothing of what the first provider’s host wanted'),
  'G-20': here(GATEWAY, 'with hosted tools that a route cannot read still reaches its provider'),
}

const READING: Readonly<Record<string, Gap>> = {
  'G-21': KEEPS_BYTES,
  'G-22': here(PROMPTS, 'may give its stop text as a string'),
  'G-23': here(PROMPTS, 'may hold sound, files and refusals'),
  'G-24': here(PROMPTS, 'may use the forms that tools replaced'),
  'G-25': here(PROMPTS, 'may have functions without parameters, custom tools and a choice among some'),
  'G-26': here(PROMPTS, 'keeps numbers of 64 bits'),
  'G-27': KEEPS_BYTES,
  'G-28': here(
    PROMPTS,
    'has its limit renamed for hosts that know the other name, and loses sampling by capability only',
  ),
  'G-29': OWN_MESSAGES,
  'G-30': OWN_MESSAGES,
  'G-31': OWN_MESSAGES,
  'G-32': OWN_RESPONSES,
  'G-33': OWN_RESPONSES,
  'G-34': unbuilt(
    'no part of the gateway edits histories yet; the relay splices members and leaves items alone',
  ),
}

const MESSAGES_AND_CHAT: Readonly<Record<string, Gap>> = {
  'G-35': here(PROMPTS, 'keeps every system text in its order, and at its place'),
  'G-36': here(CONVERSE, 'leaves system text between turns where it stands, or says it as the user'),
  'G-37': here(PROMPTS, 'loses nothing that Messages can say'),
  'G-38': here(PROMPTS, 'that wants one call at a time gets it without a choice of tools'),
  'G-39': here(PROMPTS, 'has its temperature clamped where more is refused'),
  'G-40': here(PROMPTS, 'survives arguments that are empty or broken'),
  'G-41': here(PROMPTS, 'has all results in one user turn, results first'),
  'G-42': here(PROMPTS, 'never becomes an empty block'),
  'G-43': here(PROMPTS, 'may hold a data URL that is not base64'),
  'G-44': here(PROMPTS, 'carries images, files and failures out of results'),
  'G-45': here(
    PROMPTS,
    'has the limit of its model when it names none, and none is invented for hosts that need none',
  ),
  'G-46': here(PROMPTS, 'has ids of calls mapped alike in calls and results'),
  'G-47': here(PROMPTS, 'keeps who asks, thinking and the tier for a Chat host, and usage is asked for'),
  'G-48': here(PROMPTS, 'keeps who asks, thinking and the tier for a Chat host, and usage is asked for'),
  'G-49': here(PROMPTS, 'with documents or images alone is never a blank'),
  'G-50': here(PROMPTS, 'brings thoughts back to their issuer, and to nobody else'),
  'G-51': here(PROMPTS, 'has no detail of images invented, and a known one copied'),
  'G-52': here(PROMPTS, 'never shows calls that ran at the vendor as calls of the client'),
}

const BEDROCK: Readonly<Record<string, Gap>> = {
  'G-53': here(CONVERSE, 'has images in the form of the service'),
  'G-54': here(CONVERSE, 'has unions of one key, and its model in the path'),
  'G-55': here(CONVERSE, 'has a valid tool configuration, whatever was chosen'),
  'G-56': here(CONVERSE, 'has turns that alternate'),
  'G-57': here(CONVERSE, 'is refused an image by address, by the name of the part'),
  'G-58': here(CONVERSE, 'has one system block per block, with its cache points'),
  'G-59': here(CONVERSE, 'has thinking, top_k, effort, structured output, metadata and the tier'),
  'G-60': here(CONVERSE, 'has documents with plain names'),
  'G-61': here(CONVERSE, 'keeps the wish for latency beside the limits, not among them'),
}

const RESPONSES: Readonly<Record<string, Gap>> = {
  'G-62': here(PROMPTS, 'keeps its text beside files, images and refusals for a Chat host'),
  'G-63': here(PROMPTS, 'unpacks the parts of a result'),
  'G-64': here(PROMPTS, 'with hosted tools goes through: they are mapped or reported'),
  'G-65': here(PROMPTS, 'has custom tools as plain functions, without smuggled members'),
  'G-66': here(PROMPTS, 'keeps tools of one name in two namespaces apart'),
  'G-67': here(PROMPTS, 'with a broken call is refused by the place of the item'),
  'G-68': here(PROMPTS, 'that wants probabilities asks a Chat host for both members'),
  'G-69': unbuilt('conversations are not stored here yet; what is stored at a vendor is refused to others'),
  'G-70': unbuilt('conversations are not stored here yet'),
}

const WHOLE: Readonly<Record<string, Gap>> = {
  'G-71': here(REPLIES, '%s is read'),
  'G-72': elsewhere(RELAY, 'whole as $name is known as a reader knows it'),
  'G-73': here(REPLIES, 'keeps thoughts out of what is said'),
  'G-74': here(REPLIES, 'is joined by nothing'),
  'G-75': here(REPLIES, 'include the cached part where the client`s dialect includes it'),
  'G-76': here(REPLIES, 'of %s is told in the words of the client (%#)'),
  'G-77': here(REPLIES, 'shows a refusal as one'),
  'G-78': here(REPLIES, 'has an id of the client`s kind and the model that was asked for'),
  'G-79': LOOSE,
  'G-80': here(REPLIES, 'of Responses repeats the request, and counts what its client requires'),
  'G-81': here(REPLIES, 'of Responses is read whatever it repeats'),
  'G-82': here(REPLIES, 'a body that comes in pieces is read when it has ended'),
}

const STREAMED: Readonly<Record<string, Gap>> = {
  'G-83': here(STREAMS, 'is told that a message begins before anything else'),
  'G-84': here(STREAMS, 'is given blocks with numbers of their own, each closed before the next'),
  'G-85': here(STREAMS, 'is given blocks with numbers of their own, each closed before the next'),
  'G-86': here(STREAMS, 'is given every call of a delta, with the arguments that came with its name'),
  'G-87': here(STREAMS, 'is given content, finish and usage of one chunk'),
  'G-88': here(STREAMS, 'is given the usage of a chunk that trails'),
  'G-89': here(STREAMS, 'is given thoughts as thoughts'),
  'G-90': TORN,
  'G-91': here(STREAMS, 'is given an item for each thing, with numbers and ids of their own'),
  'G-92': here(STREAMS, 'is given the events of content parts, thoughts and refusals'),
  'G-93': here(STREAMS, 'is told the usage, and that an answer is incomplete'),
  'G-94': here(STREAMS, 'is repeated what it asked for, and nothing is invented'),
  'G-95': here(STREAMS, 'is told [DONE] once, and last'),
  'G-96': here(STREAMS, 'is told one finish reason, the one that was said, and no empty chunks'),
  'G-97': here(STREAMS, 'is told usage and finish although the last event counts output only'),
  'G-98': here(STREAMS, 'is given calls numbered from 0, and one id and model throughout'),
  'G-99': here(STREAMS, 'is given all that Claude says'),
  'G-100': here(STREAMS, 'of Bedrock is told [DONE], and usage without a choice'),
  'G-101': here(STREAMS, 'is given the counts of Bedrock, which come after its end'),
  'G-102': here(STREAMS, 'is given the counts of Bedrock, which come after its end'),
  'G-103': here(STREAMS, 'is given the counts of Bedrock, which come after its end'),
  'G-104': here(STREAMS, 'that ends with an exception is told as a failure of its kind'),
  'G-105': here(STREAMS, 'of Bedrock is told [DONE], and usage without a choice'),
  'G-106': here(STREAMS, 'with a damaged frame fails, and none of its bytes reach the client'),
}

const FRAMING_AND_ERRORS: Readonly<Record<string, Gap>> = {
  'G-107': RELAYED_STREAM,
  'G-108': RELAYED_STREAM,
  'G-109': RELAYED_STREAM,
  'G-110': here(STREAMS, '%s say the same'),
  'G-111': here(STREAMS, 'with an event of 5 MiB pass'),
  'G-112': here(STREAMS, 'that stop without a word are no end, in any dialect'),
  'G-113': here(STREAMS, 'behind [DONE] mean nothing'),
  'G-114': other(
    'telemetry/log.test.ts',
    'stop at the window while the log takes nothing, and are dropped and counted beyond the bound',
  ),
  'G-115': here(GATEWAY, 'of an error has the form of its client`s dialect'),
  'G-116': here(GATEWAY, 'of the gateway itself is JSON in its client`s dialect'),
  'G-117': here(GATEWAY, 'that cannot be read is the upstream`s fault'),
  'G-118': unbuilt('token limits do not exist yet'),
  'G-119': here(REPLIES, 'are known to who meters them, cached parts and all'),
  'G-120': here(GATEWAY, 'counts what the upstream said, and holds neither bodies nor keys'),
  'G-121': here(
    GATEWAY,
    'never takes the caller`s key, cookies or encodings along, and always the configured fields',
  ),
  'G-122': here(GATEWAY, 'counts what the upstream said, and holds neither bodies nor keys'),
  'G-123': here(PROMPTS, 'of several answers is refused where there is one'),
  'G-124': here(PROMPTS, 'has stop texts that a vendor takes'),
  'G-125': here(PROMPTS, 'may begin with the model, and end with it where that is refused'),
}

export const GAPS_TOTAL = 125

/** The parts, so that a number that is given twice is seen. */
export const GAP_PARTS: readonly Readonly<Record<string, Gap>>[] = [
  ROUTING,
  READING,
  MESSAGES_AND_CHAT,
  BEDROCK,
  RESPONSES,
  WHOLE,
  STREAMED,
  FRAMING_AND_ERRORS,
]

const CHECKLIST = 'conformance/checklist.test.ts'
const CONVERSATIONS = 'conformance/conversations.test.ts'

/** The fifteen points of the conformance checklist. */
export const CHECKS: Readonly<Record<string, readonly Gap[]>> = {
  K1: [
    here(CHECKLIST, '%s: nothing of a request changes but the model'),
    here(CHECKLIST, '%s: nothing of a reply or a stream changes'),
  ],
  K2: [
    here(CHECKLIST, 'every prompt, reply and stream of %s and %s has a golden file'),
    elsewhere('translate/laws.test.ts', '$name cut in two anywhere reaches ${client.id} the same'),
  ],
  K3: [
    elsewhere(
      'e2e/sdk/matrix.test.ts',
      "reads ${what}, ${stream ? 'streamed' : 'whole'}, as the upstream's own client does",
    ),
    elsewhere('translate/bedrock-converse.sdk.test.ts', 'stream $name'),
  ],
  K4: [here(CHECKLIST, '%s: every client sees them, their names and their arguments')],
  K5: [here(CHECKLIST, '%s is known, and told to every client')],
  K6: [
    here(CHECKLIST, '%s %s is told to every client in its words'),
    here(CHECKLIST, 'that never comes fails the reply'),
  ],
  K7: [
    elsewhere('gateway/cuts.test.ts', '${name}, to ${other}'),
    elsewhere(
      'translate/errors.test.ts',
      'keeps its kind on the way to %s, as far as that dialect can say it',
    ),
    elsewhere('gateway/failover.test.ts', 'but not after content: then the client is told'),
  ],
  K8: [
    here(CHECKLIST, 'with %s is read in every dialect, also one byte at a time'),
    here(STREAMS, 'with an event of 5 MiB pass'),
  ],
  K9: [
    elsewhere(PROVIDERS, '%s clients reach an endpoint that the vendor documents'),
    elsewhere(PROVIDERS, 'there are nine'),
  ],
  K10: [here(CONVERSATIONS, 'go from %s back to %s, which issued them, and after a switch to nobody else')],
  K11: [
    here(CONVERSATIONS, 'of %s are legal for %s, told apart, and come back as they were'),
    here(CONVERSATIONS, 'of calls from %s match their results at %s'),
  ],
  K12: [
    here(CONVERSATIONS, 'reach %s by value, or are refused by name'),
    here(CONVERSATIONS, 'inside results reach %s'),
  ],
  K13: [here(GATEWAY, 'counts what the upstream said, and holds neither bodies nor keys')],
  K14: [here(GATEWAY, 'tells what was left out, and a strict caller is refused before anybody is called')],
  K15: [
    elsewhere(
      'translate/roundtrip.prop.ts',
      'a prompt says the same, and the same prompt gives the same bytes',
    ),
  ],
}
