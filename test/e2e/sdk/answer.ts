// What an official client made of a reply, in words that all five share. Owns the comparison; how each client is
// driven is in `clients.ts`.

export interface Call {
  readonly name: string
  readonly input: unknown
}

export interface Answer {
  readonly text: string
  readonly reasoning: string
  readonly calls: readonly Call[]
  readonly finish: 'stop' | 'length' | 'calls' | 'declined' | string
  /** Cached input is part of the input, reasoning part of the output. Null when the client was told nothing. */
  readonly usage: { readonly input: number; readonly output: number; readonly cached: number } | null
}

export interface Question {
  readonly model: string
  readonly text: string
  readonly stream: boolean
  readonly tools?: readonly Tool[]
  readonly toolChoice?: 'any'
  /** An earlier call and its result, to be continued. */
  readonly result?: {
    readonly id: string
    readonly name: string
    readonly input: object
    readonly output: string
  }
  readonly system?: string
  readonly limit?: number
  /** A PNG in base64. */
  readonly image?: string
  /** A JSON schema that the answer must follow. */
  readonly schema?: Record<string, unknown>
}

export interface Tool {
  readonly name: string
  readonly description: string
  readonly parameters: Record<string, unknown>
}

/** Arguments as a value; what a limit cut off has none. */
export function inputOf(json: string): unknown {
  try {
    return JSON.parse(json === '' ? '{}' : json)
  } catch {
    return TORN
  }
}

export const TORN = 'torn'

/** One official client. Rejects with what the client throws. */
export interface Client {
  readonly name: string
  ask(origin: string, question: Question): Promise<Answer>
}
