// Runs the `tests:` block of a configuration file: each test is a request that is rehearsed against the plan of the
// file, and whose end is held against what the file promises. Stands here because only the gateway knows routes,
// translations and refusals; it is called by whoever checks a file or is about to use it. Without network, in
// milliseconds.

// Not through the door: a shard would load the schema and the YAML reader with it.
import { type ConfigTest, type Expectation, testIssue } from '../common/config/check-tests.ts'
import type { ConfigIssue, Plan } from '../common/config/index.ts'
import type { DialectId } from '../translate/index.ts'
import { bodyForm, type Rehearsed, type RehearsedLoss, rehearse } from './rehearse.ts'

export interface ConfigTestResult {
  readonly name: string
  readonly ok: boolean
  /** What does not hold, each at its place in the file. */
  readonly issues: readonly ConfigIssue[]
  /** Expectations that nothing can judge yet. */
  readonly notActive: readonly string[]
}

/** Enough for a promise per model and alias; a longer list is generated and belongs elsewhere. */
const TESTS_MAX = 5_000

export function runConfigTests(plan: Plan, tests: readonly ConfigTest[]): ConfigTestResult[] {
  return tests.slice(0, TESTS_MAX).map(test => runConfigTest(plan, test))
}

function runConfigTest(plan: Plan, test: ConfigTest): ConfigTestResult {
  const issues: ConfigIssue[] = []
  const fail = (key: Expectation | null, message: string) => issues.push(testIssue(test, key, message))
  for (const name of test.facts.unavailable) {
    if (plan.providers.some(provider => provider.name === name)) continue
    fail(null, `\`facts.unavailable\` names \`${name}\`, and there is no such provider entry`)
  }
  const target = targetOf(test)
  if (issues.length === 0) judge(test, rehearse(plan, requestOf(test, target)), fail)
  const notActive = (['limit', 'guard'] as const).filter(key => test.expect[key] !== undefined)
  return { name: test.name, ok: issues.length === 0, issues, notActive }
}

// ── the request ───────────────────────────────────────────────────────────────────────────────────────────────

const PATHS: Readonly<Record<DialectId, string>> = {
  'openai-chat': '/v1/chat/completions',
  'openai-responses': '/v1/responses',
  'anthropic-messages': '/v1/messages',
  'bedrock-converse': '/model/{model}/converse',
  'gemini-generate': '/v1beta/models/{model}:generateContent',
}
const STREAM_PATHS: Readonly<Partial<Record<DialectId, string>>> = {
  'bedrock-converse': '/model/{model}/converse-stream',
  'gemini-generate': '/v1beta/models/{model}:streamGenerateContent',
}

function targetOf({ request }: ConfigTest): string {
  const { path, dialect, model, stream } = request
  if (path !== undefined) return path
  const pattern = (stream ? STREAM_PATHS[dialect] : undefined) ?? PATHS[dialect]
  return pattern.replace('{model}', encodeURIComponent(model ?? ''))
}

function requestOf(test: ConfigTest, target: string) {
  const { request, facts } = test
  const { type, bytes } = bodyOf(request, target)
  const headers = bytes.length === 0 ? [] : ['content-type', type]
  for (const [name, value] of Object.entries(request.headers)) headers.push(name.toLowerCase(), value)
  return {
    method: request.method,
    target,
    headers,
    body: bytes,
    unavailable: facts.unavailable,
    random: facts.random,
  }
}

const BOUNDARY = 'sluice-test'

function bodyOf(request: ConfigTest['request'], target: string): { type: string; bytes: Uint8Array } {
  const { method, model, stream } = request
  const encoder = new TextEncoder()
  const json = 'application/json'
  if (method === 'GET' || method === 'DELETE') return { type: json, bytes: new Uint8Array(0) }
  const named = namesModel(target) || model === undefined ? {} : { model }
  if (bodyForm(target) === 'multipart') {
    const bytes = encoder.encode(formText({ ...named, ...request.body }))
    return { type: `multipart/form-data; boundary=${BOUNDARY}`, bytes }
  }
  const body = { ...smallest(target, stream), ...request.body, ...named }
  return { type: json, bytes: encoder.encode(JSON.stringify(body)) }
}

/** The fields, and behind them a smallest file. */
function formText(fields: Record<string, unknown>): string {
  const parts = Object.entries(fields).map(
    ([name, value]) =>
      `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${String(value)}\r\n`,
  )
  const file = `--${BOUNDARY}\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\na\r\n`
  return `${parts.join('')}${file}--${BOUNDARY}--\r\n`
}

/** Where the path names the model, the body does not. */
function namesModel(target: string): boolean {
  return target.startsWith('/model/') || /\/models\/[^?]*:\w+/.test(target)
}

/** Of forwarded paths: the member that holds what they are about. */
const FORWARDED_MEMBERS: Readonly<Record<string, string>> = {
  '/v1/embeddings': 'input',
  '/v1/moderations': 'input',
  '/v1/audio/speech': 'input',
  '/v1/completions': 'prompt',
  '/v1/images/generations': 'prompt',
  '/v1/images/edits': 'prompt',
  '/v1/rerank': 'query',
}

/** A smallest body of the dialect of a path. */
function smallest(target: string, stream: boolean): Record<string, unknown> {
  const messages = [{ role: 'user', content: 'Hello' }]
  const asked = stream ? { stream } : {}
  if (target.startsWith('/v1/messages/count_tokens')) return { messages }
  const member = FORWARDED_MEMBERS[target.split('?')[0]!]
  if (member !== undefined) return { [member]: 'Hello', ...asked }
  if (target.startsWith('/v1/messages')) return { max_tokens: 1_024, messages, ...asked }
  if (target.startsWith('/v1/responses')) return { input: 'Hello', ...asked }
  if (target.startsWith('/model/')) return { messages: [{ role: 'user', content: [{ text: 'Hello' }] }] }
  if (namesModel(target)) return { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] }
  return { messages, ...asked }
}

// ── the judgement ─────────────────────────────────────────────────────────────────────────────────────────────

type Fail = (key: Expectation | null, message: string) => void

function judge({ expect }: ConfigTest, rehearsed: Rehearsed, fail: Fail): void {
  const { status, error, call } = rehearsed
  const refusal = error === null ? '' : ` (${error})`
  // A test that says nothing of the status promises that the call is made.
  const wanted = expect.status ?? (expect.error === undefined ? 200 : null)
  if (wanted === null ? status < 400 : status !== wanted) {
    fail(
      expect.status === undefined ? (expect.error === undefined ? null : 'error') : 'status',
      `expected ${wanted ?? 'a refusal'}, got status ${status}${refusal}`,
    )
    return
  }
  if (expect.error !== undefined && !(error ?? '').includes(expect.error)) {
    fail(
      'error',
      `expected an error with \`${expect.error}\`, got ${error === null ? 'none' : `\`${error}\``}`,
    )
  }
  const asked = (['model', 'provider', 'upstream_dialect', 'url', 'losses'] as const).filter(
    key => expect[key] !== undefined,
  )
  if (call === null) {
    for (const key of asked) fail(key, `no provider would be called${refusal}`)
    return
  }
  const names = [call.model, `${call.vendor}/${call.model}`]
  if (expect.model !== undefined && !names.includes(expect.model)) {
    fail('model', `expected model \`${expect.model}\`, got \`${names[1]}\``)
  }
  if (expect.provider !== undefined && expect.provider !== call.provider && expect.provider !== call.vendor) {
    fail('provider', `expected provider \`${expect.provider}\`, got \`${call.provider}\` (${call.vendor})`)
  }
  if (expect.upstream_dialect !== undefined && expect.upstream_dialect !== call.dialect) {
    fail('upstream_dialect', `expected \`${expect.upstream_dialect}\`, got \`${call.dialect}\``)
  }
  // A query may hold a key: it is compared where the file names one, and never shown.
  const url = expect.url?.includes('?') === true ? call.url : bareUrl(call.url)
  if (expect.url !== undefined && expect.url !== url) {
    fail(
      'url',
      `expected a call of ${bareUrl(expect.url)}, got ${bareUrl(call.url)}${differsInQuery(expect.url, url)}`,
    )
  }
  if (expect.losses !== undefined) judgeLosses(expect.losses, call.losses, fail)
}

function bareUrl(url: string): string {
  return url.split('?')[0]!
}

function differsInQuery(wanted: string, url: string): string {
  return bareUrl(wanted) === bareUrl(url) ? ' with another query' : ''
}

type WantedLoss = NonNullable<ConfigTest['expect']['losses']>[number]

function judgeLosses(wanted: readonly WantedLoss[], found: readonly RehearsedLoss[], fail: Fail): void {
  const left = [...found]
  for (const one of wanted) {
    const loss = typeof one === 'string' ? { field: one } : one
    const at = left.findIndex(
      ({ field, action, reason }) =>
        field === loss.field &&
        (loss.action === undefined || action === loss.action) &&
        (loss.reason === undefined || reason === loss.reason),
    )
    if (at < 0) fail('losses', `expected the loss of \`${loss.field}\`, got ${lossText(found)}`)
    else left.splice(at, 1)
  }
  if (left.length > 0) fail('losses', `also lost: ${lossText(left)}`)
}

function lossText(losses: readonly RehearsedLoss[]): string {
  if (losses.length === 0) return 'no loss'
  return losses.map(({ action, field, reason }) => `\`${field}\` (${action}, ${reason})`).join(', ')
}
