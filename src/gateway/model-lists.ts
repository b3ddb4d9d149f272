// `GET /v1/models` and `/v1/models/{id}` in the shape of whoever asks.
// Facts: `wire-formats` specification, sections 1.6 and 1.7.

import { GatewayError } from '../common/errors.ts'
import { type HeaderList, headerValue } from '../common/headers.ts'
import type { DialectId } from '../translate/index.ts'

/** One line of the public list. */
export interface PublicModel {
  readonly id: string
  /** Shown as `owned_by` and as part of the display name. */
  readonly ownedBy: string
}

/** Seconds since 1970; the reference answers 0, and a made-up date would be worse. */
const CREATED = 0
const CREATED_TEXT = '1970-01-01T00:00:00Z'

/** Who asks, told by headers (and by Gemini's version segment in the path). */
export function listDialect(headers: HeaderList, path: string): DialectId {
  if (headerValue(headers, 'anthropic-version') !== null || headerValue(headers, 'x-api-key') !== null)
    return 'anthropic-messages'
  if (path.startsWith('/v1beta/')) return 'gemini-generate'
  if (headerValue(headers, 'x-goog-api-key') !== null || headerValue(headers, 'x-goog-api-client') !== null)
    return 'gemini-generate'
  return 'openai-chat'
}

export function modelList(dialect: DialectId, models: readonly PublicModel[]): unknown {
  const data = models.map(model => modelEntry(dialect, model))
  if (dialect === 'gemini-generate') return { models: data }
  if (dialect !== 'anthropic-messages') return { object: 'list', data }
  return {
    data,
    has_more: false,
    first_id: models[0]?.id ?? null,
    last_id: models[models.length - 1]?.id ?? null,
  }
}

export function modelEntry(dialect: DialectId, model: PublicModel): unknown {
  if (dialect === 'anthropic-messages') {
    const display = `${model.id} (${model.ownedBy})`
    return { type: 'model', id: model.id, display_name: display, created_at: CREATED_TEXT }
  }
  if (dialect === 'gemini-generate') {
    return {
      name: `models/${model.id}`,
      displayName: `${model.id} (${model.ownedBy})`,
      supportedGenerationMethods: ['generateContent', 'streamGenerateContent', 'countTokens'],
    }
  }
  return { id: model.id, object: 'model', created: CREATED, owned_by: model.ownedBy }
}

/** Names shown in an error; more would be noise. */
const NAMES_SHOWN_MAX = 12

/** The error of a model that nothing serves, naming what exists. */
export function unknownModel(
  asked: string | null,
  nearest: readonly string[],
  models: readonly PublicModel[],
): GatewayError {
  const names = models.slice(0, NAMES_SHOWN_MAX).map(model => model.id)
  const more = models.length > names.length ? `, and ${models.length - names.length} more at /v1/models` : ''
  const exists = names.length === 0 ? 'no model is configured' : `available: ${names.join(', ')}${more}`
  const guess = nearest.length === 0 ? '' : ` Did you mean ${nearest.join(' or ')}?`
  const what =
    asked === null || asked === ''
      ? 'the request names no model and no default model is configured'
      : `the model \`${printable(asked)}\` does not exist here`
  return new GatewayError('model-not-found', `${what}; ${exists}.${guess}`, {
    param: 'model',
    code: 'model_not_found',
  })
}

/** The error of a bare id that several providers have. */
export function ambiguousModel(asked: string, names: readonly string[]): GatewayError {
  return new GatewayError(
    'bad-request',
    `several providers have a model \`${printable(asked)}\`; name one: ${names.slice(0, NAMES_SHOWN_MAX).join(', ')}`,
    { param: 'model', code: 'ambiguous_model' },
  )
}

/** Caller's text in a message: short, printable. */
function printable(text: string): string {
  const clean = text.replace(/[\x00-\x1f\x7f`]/g, '?')
  return clean.length > 100 ? `${clean.slice(0, 100)}…` : clean
}
