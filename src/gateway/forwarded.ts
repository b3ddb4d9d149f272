// Endpoints that are forwarded without a look at their meaning: a table. Owns what may be sent to each and whether a
// failed call may be sent again; `stages/forward.ts` does the work.

export type Method = 'GET' | 'POST' | 'DELETE'

export interface Forward {
  /** Path behind `/v1`; `{id}` stands for one segment. */
  readonly suffix: string
  readonly methods: readonly Method[]
  /** What chooses the provider: the model in the body, or the caller's header and the configuration alone. */
  readonly routedBy: 'model' | 'provider'
  /** Body types a POST may have. */
  readonly body: 'json' | 'multipart' | 'either'
  /** The same POST twice is no more than once, so that a failed call may be sent again. */
  readonly repeatable: boolean
  /** The body may ask for a stream with usage, as Chat does. */
  readonly streamOptions: boolean
}

function row(suffix: string, more: Partial<Forward> = {}): Forward {
  return {
    suffix,
    methods: ['POST'],
    routedBy: 'model',
    body: 'json',
    repeatable: true,
    streamOptions: false,
    ...more,
  }
}

/** Costs money or makes something at the provider: never sent twice. */
const ONCE: Partial<Forward> = { repeatable: false }
/** Lives at one provider, whatever the model. */
const OBJECT: Partial<Forward> = { routedBy: 'provider', repeatable: false }

export const FORWARDED: readonly Forward[] = [
  row('/embeddings'),
  row('/completions', { streamOptions: true }),
  row('/moderations'),
  row('/rerank'),
  row('/images/generations', ONCE),
  row('/images/edits', { ...ONCE, body: 'either' }),
  row('/images/variations', { ...ONCE, body: 'multipart' }),
  row('/audio/speech', ONCE),
  row('/audio/transcriptions', { ...ONCE, body: 'multipart' }),
  row('/audio/translations', { ...ONCE, body: 'multipart' }),
  row('/files', { ...OBJECT, methods: ['GET', 'POST'], body: 'multipart' }),
  row('/files/{id}', { ...OBJECT, methods: ['GET', 'DELETE'] }),
  row('/files/{id}/content', { ...OBJECT, methods: ['GET'] }),
  row('/batches', { ...OBJECT, methods: ['GET', 'POST'] }),
  row('/batches/{id}', { ...OBJECT, methods: ['GET'] }),
  row('/batches/{id}/cancel', OBJECT),
]
