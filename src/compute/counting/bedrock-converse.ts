// What costs tokens in a Converse body.

import {
  type CountedMessage,
  CountedPrompt,
  jsonText,
  listOf,
  type Members,
  membersOf,
  textOf,
} from './counted.ts'

export function countedConverse(body: Members): CountedPrompt {
  const prompt = new CountedPrompt()
  if (body['system'] != null) {
    const system = prompt.message('system')
    for (const block of listOf(body['system'])) readBlock(prompt, system, block)
  }
  for (const item of listOf(body['messages'])) {
    const members = membersOf(item)
    if (members === null) {
      prompt.oddity(item, prompt.loose)
      continue
    }
    const message = prompt.message(members['role'])
    for (const block of listOf(members['content'])) readBlock(prompt, message, block)
  }
  const config = membersOf(body['toolConfig'])
  if (config === null) prompt.oddity(body['toolConfig'], prompt.loose)
  for (const tool of listOf(config?.['tools'])) {
    const spec = membersOf(membersOf(tool)?.['toolSpec'])
    if (spec !== null) {
      const schema = membersOf(spec['inputSchema'])?.['json']
      prompt.tools.push({ name: textOf(spec['name']), description: textOf(spec['description']), schema })
    } else if (membersOf(tool)?.['cachePoint'] === undefined) prompt.oddity(tool, prompt.loose)
  }
  const choice = membersOf(config?.['toolChoice'])
  prompt.toolForced = choice?.['any'] !== undefined || choice?.['tool'] !== undefined
  return prompt
}

function readBlock(prompt: CountedPrompt, message: CountedMessage, block: unknown): void {
  const members = membersOf(block)
  const call = membersOf(members?.['toolUse'])
  const result = membersOf(members?.['toolResult'])
  if (call !== null) {
    message.calls.push({ name: textOf(call['name']), input: jsonText(call['input']) })
  } else if (result !== null) {
    for (const inner of listOf(result['content'])) readPart(prompt, message, inner)
  } else readPart(prompt, message, block)
}

/** What may stand in a message and in a result. */
function readPart(prompt: CountedPrompt, message: CountedMessage, part: unknown): void {
  const members = membersOf(part)
  if (members === null) {
    prompt.oddity(part, message.texts)
    return
  }
  const image = membersOf(members['image'])
  const media = membersOf(members['document'] ?? members['video'] ?? members['audio'])
  const guarded = membersOf(membersOf(members['guardContent'])?.['text'])
  const reasoning = membersOf(membersOf(members['reasoningContent'])?.['reasoningText'])
  if (typeof members['text'] === 'string') message.texts.push(members['text'])
  else if (members['json'] !== undefined) message.texts.push(jsonText(members['json']))
  else if (image !== null) message.images.push({ base64: bytesOf(image), detail: '' })
  else if (media !== null) prompt.media(bytesOf(media))
  else if (guarded !== null) message.texts.push(textOf(guarded['text']))
  else if (reasoning !== null) message.texts.push(textOf(reasoning['text']))
  else if (members['cachePoint'] === undefined) prompt.oddity(part, message.texts)
}

function bytesOf(holder: Members): string | null {
  const bytes = membersOf(holder['source'])?.['bytes']
  return typeof bytes === 'string' ? bytes : null
}
