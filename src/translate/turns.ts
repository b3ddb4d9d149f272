// Brings the turns of a prompt into the order that Messages, Converse and Gemini demand: user and model alternate,
// the user begins, every call is answered right after it, results come first, nothing is blank. Each repair is
// noted as a loss. Dialects that take turns as they come (Chat, Responses) do not use this.

import { promptTurn, resultPart, textPart, type Part, type PromptTurn, type ResultPart } from './prompt.ts'
import type { Prompt } from './prompt.ts'
import type { PromptWriting } from './prompt-writing.ts'

const OPENING_TEXT = '(conversation continues)'
const CONTINUE_TEXT = 'Please continue.'
const NOT_EXECUTED_TEXT = 'not executed'

/** Draft of one turn: the same records, with parts that may still be moved. */
interface Draft {
  role: PromptTurn['role']
  parts: Part[]
  readonly turn: PromptTurn
}

/** `midSystem` false: the dialect has no system turns, whatever the model could do. */
export function cleanTurns(
  prompt: Prompt,
  writing: PromptWriting,
  midSystem: boolean = writing.target.facts.midSystem,
): PromptTurn[] {
  const drafts = merged(
    prompt.turns.map(turn => draftOf(turn, writing, midSystem)).filter(draft => draft.parts.length > 0),
  )
  answerCalls(drafts, writing)
  const turns = merged(drafts.filter(draft => draft.parts.length > 0))
  if (turns.length === 0) writing.refuseNothing()
  openWithUser(turns, writing)
  closeForAnswer(turns, writing)
  return turns.map(draft => ({ ...draft.turn, role: draft.role, parts: draft.parts }))
}

function draftOf(turn: PromptTurn, writing: PromptWriting, midSystem: boolean): Draft {
  const parts = turn.parts
    .filter(part => isPlaced(part, turn, writing))
    .flatMap(part => carried(part, writing))
    .filter(part => !isBlank(part))
  if (turn.role !== 'system' || midSystem) return { role: turn.role, parts, turn }
  writing.lose('emulate', turn.at, 'system_text_in_user_turn')
  const wrapped = parts.map(part =>
    part.kind === 'text' ? { ...part, text: `<system_note>\n${part.text}\n</system_note>` } : part,
  )
  return { role: 'user', parts: wrapped, turn }
}

/** Models call and reason, users bring results: anywhere else hosts refuse them. */
function isPlaced(part: Part, turn: PromptTurn, writing: PromptWriting): boolean {
  const ofModel = turn.role === 'model'
  const misplaced = ofModel ? part.kind === 'result' : part.kind === 'call' || part.kind === 'reasoning'
  if (misplaced) writing.lose('drop', part.at, `${part.kind}_in_${ofModel ? 'model' : 'user'}_turn`)
  return !misplaced
}

/** What another vendor cannot use is left out before turns are merged: a turn must not end up empty because of it. */
function carried(part: Part, writing: PromptWriting): Part[] {
  if (part.kind === 'vendor' && part.dialect !== writing.upstream) {
    const text = writing.vendorText(part)
    return text === null ? [] : [textPart(text, part.at)]
  }
  if (part.kind === 'reasoning' && part.opaque !== null)
    return writing.takes(part.opaque, part.at) ? [part] : []
  return [part]
}

function isBlank(part: Part): boolean {
  return (part.kind === 'text' || part.kind === 'refusal') && part.text.trim() === ''
}

function merged(drafts: readonly Draft[]): Draft[] {
  const turns: Draft[] = []
  for (const draft of drafts) {
    const last = turns.at(-1)
    if (last !== undefined && last.role === draft.role) last.parts.push(...draft.parts)
    else turns.push({ role: draft.role, parts: [...draft.parts], turn: draft.turn })
  }
  return turns
}

/**
 * After every model turn with calls stands one user turn that starts with their results in the order of the calls.
 * Results are looked for up to the next model turn; what answers nothing is dropped.
 */
function answerCalls(drafts: Draft[], writing: PromptWriting): void {
  const answers = new Map<Draft, ResultPart[]>()
  let asking: Draft | null = null
  for (const draft of drafts) {
    if (draft.role === 'model') {
      asking = draft
      draft.parts = withoutRepeats(draft.parts, writing)
      continue
    }
    const rest: Part[] = []
    for (const part of draft.parts) {
      if (part.kind !== 'result') rest.push(part)
      else if (asking !== null && callIds(asking).includes(part.callId)) {
        const found = answers.get(asking) ?? []
        if (found.some(result => result.callId === part.callId)) {
          writing.lose('drop', part.at, 'repeated_result')
          continue
        }
        found.push(part)
        answers.set(asking, found)
      } else writing.lose('drop', part.at, 'result_without_call')
    }
    draft.parts = rest
  }
  for (let index = drafts.length - 1; index >= 0; index--) {
    const draft = drafts[index]!
    const ids = draft.role === 'model' ? callIds(draft) : []
    if (ids.length > 0) insertAnswers(drafts, index, ids, answers.get(draft) ?? [], writing)
  }
}

/** One call has one id: hosts refuse a turn that makes the same call twice. */
function withoutRepeats(parts: readonly Part[], writing: PromptWriting): Part[] {
  const seen = new Set<string>()
  return parts.filter(part => {
    if (part.kind !== 'call') return true
    if (!seen.has(part.id)) {
      seen.add(part.id)
      return true
    }
    writing.lose('drop', part.at, 'repeated_call')
    return false
  })
}

function callIds(draft: Draft): string[] {
  return draft.parts.flatMap(part => (part.kind === 'call' ? [part.id] : []))
}

function insertAnswers(
  drafts: Draft[],
  index: number,
  ids: readonly string[],
  found: readonly ResultPart[],
  writing: PromptWriting,
): void {
  const asking = drafts[index]!
  const results: Part[] = [...found]
  for (const id of ids) {
    if (found.some(result => result.callId === id)) continue
    writing.lose('emulate', asking.turn.at, 'unanswered_call')
    const call = asking.parts.find(part => part.kind === 'call' && part.id === id)
    const name = call?.kind === 'call' ? call.name : null
    const parts = [textPart(NOT_EXECUTED_TEXT, asking.turn.at)]
    results.push(resultPart({ callId: id, name, parts, failed: true }, asking.turn.at))
  }
  const next = drafts[index + 1]
  if (next !== undefined && next.role === 'user') next.parts.unshift(...results)
  else
    drafts.splice(index + 1, 0, {
      role: 'user',
      parts: results,
      turn: promptTurn('user', [], asking.turn.at),
    })
}

function openWithUser(turns: Draft[], writing: PromptWriting): void {
  const first = turns[0]!
  if (first.role === 'user') return
  writing.lose('emulate', first.turn.at, 'opening_user_turn')
  const turn = promptTurn('user', [], first.turn.at)
  turns.unshift({ role: 'user', parts: [textPart(OPENING_TEXT, first.turn.at)], turn })
}

/** A last turn of the model is a beginning to be continued, which not every model takes. */
function closeForAnswer(turns: Draft[], writing: PromptWriting): void {
  const last = turns.at(-1)!
  if (last.role !== 'model') return
  if (writing.target.facts.prefill) {
    const part = last.parts.at(-1)
    if (part?.kind === 'text') last.parts[last.parts.length - 1] = { ...part, text: part.text.trimEnd() }
    return
  }
  writing.lose('emulate', last.turn.at, 'prefill_as_history')
  const turn = promptTurn('user', [], last.turn.at)
  turns.push({ role: 'user', parts: [textPart(CONTINUE_TEXT, last.turn.at)], turn })
}
