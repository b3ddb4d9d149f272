// What the fake model answers. The rules are simple so that a test can state the expected numbers:
//   - a token is a word (a run of non-space characters), in and out;
//   - text: the last user message comes back (`echo: …`), or the tool's result after a tool call;
//   - a tool is called when one is given and the choice demands it, or the last user message names it;
//     its input fills every required property from the schema (strings get the user's text);
//   - a limit on output tokens cuts the words and the finish reason says so.

import type { Behaviour, FakePrompt, FakeTurn, Json } from './types.ts'

export function tokensOf(text: string): number {
  return text.match(/\S+/g)?.length ?? 0
}

/** Words with the spaces behind them, so that joining gives the text again. */
export function wordsOf(text: string): string[] {
  return text.match(/^\s+|\S+\s*/g) ?? []
}

let turns = 0

export function turnFor(prompt: FakePrompt, behaviour: Behaviour): FakeTurn {
  turns += 1
  const inputTokens = prompt.texts.reduce((sum, text) => sum + tokensOf(text), 0)
  const id = `fake${turns}`
  const called = behaviour.frames > 0 ? null : toolToCall(prompt)
  if (called !== null) {
    const input = JSON.stringify(fill(called.schema, prompt.lastUserText ?? ''))
    const call = { id: `call_${turns}`, name: called.name, input }
    return {
      id,
      model: prompt.model,
      pieces: [],
      call,
      inputTokens,
      outputTokens: tokensOf(input),
      finish: 'call',
    }
  }
  let pieces = behaviour.frames > 0 ? fixedPieces(behaviour) : wordsOf(echoOf(prompt))
  let finish: FakeTurn['finish'] = 'stop'
  if (prompt.outputTokensMax !== null && pieces.length > prompt.outputTokensMax) {
    pieces = pieces.slice(0, prompt.outputTokensMax)
    finish = 'length'
  }
  const outputTokens = tokensOf(pieces.join(''))
  return { id, model: prompt.model, pieces, call: null, inputTokens, outputTokens, finish }
}

/** For `canned` replies: nothing of the request is looked at but its path and whether it streams. */
export function cannedTurn(behaviour: Behaviour): FakeTurn {
  const pieces = fixedPieces(behaviour)
  return {
    id: 'fake-canned',
    model: 'fake-canned',
    pieces,
    call: null,
    inputTokens: 10,
    outputTokens: pieces.length,
    finish: 'stop',
  }
}

function fixedPieces(behaviour: Behaviour): string[] {
  const piece = 'x'.repeat(Math.max(1, behaviour.frameBytes - 1)) + ' '
  return new Array<string>(Math.max(1, behaviour.frames)).fill(piece)
}

function echoOf(prompt: FakePrompt): string {
  if (prompt.lastToolResult !== null) return `result: ${prompt.lastToolResult}`
  return `echo: ${prompt.lastUserText ?? ''}`
}

function toolToCall(prompt: FakePrompt): FakePrompt['tools'][number] | null {
  if (prompt.lastUserText === null || prompt.toolChoice === 'none') return null
  const text = prompt.lastUserText
  if (prompt.toolChoice === 'any') return prompt.tools[0] ?? null
  const named = prompt.tools.find(tool => tool.name === prompt.toolChoice)
  return named ?? prompt.tools.find(tool => text.includes(tool.name)) ?? null
}

function fill(schema: Json, text: string): Json {
  const input: Record<string, Json> = {}
  const properties = schema?.properties ?? {}
  for (const name of schema?.required ?? []) {
    const property = properties[name]
    if (property?.enum !== undefined) input[name] = property.enum[0]
    else if (property?.type === 'number' || property?.type === 'integer') input[name] = 7
    else if (property?.type === 'boolean') input[name] = true
    else if (property?.type === 'array') input[name] = []
    else if (property?.type === 'object') input[name] = fill(property, text)
    else input[name] = text
  }
  return input
}
