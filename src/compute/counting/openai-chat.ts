// What costs tokens in a Chat Completions body.

import {
  type CountedMessage,
  CountedPrompt,
  jsonText,
  listOf,
  type Members,
  membersOf,
  textOf,
} from './counted.ts'

export function countedChat(body: Members): CountedPrompt {
  const prompt = new CountedPrompt()
  for (const item of listOf(body['messages'])) {
    const members = membersOf(item)
    if (members === null) prompt.oddity(item, prompt.loose)
    else readMessage(prompt, members)
  }
  for (const tool of listOf(body['tools'])) {
    const members = membersOf(tool)
    const made = membersOf(members?.['function']) ?? membersOf(members?.['custom'])
    if (made === null) prompt.oddity(tool, prompt.loose)
    else readFunction(prompt, made)
  }
  for (const made of listOf(body['functions'])) readFunction(prompt, membersOf(made) ?? {})
  const schema = membersOf(membersOf(body['response_format'])?.['json_schema'])
  if (schema !== null) prompt.oddity(jsonText(schema), prompt.loose)
  // The body of a plain completion: a text, or several that are prompts of their own.
  for (const text of listOf(body['prompt'])) {
    if (typeof text === 'string') prompt.loose.push(text)
    else prompt.oddity(text, prompt.loose)
  }
  return prompt
}

/** Members of a message whose strings the model reads. */
const TEXTS = ['refusal', 'reasoning_content', 'reasoning'] as const

function readMessage(prompt: CountedPrompt, members: Members): void {
  const message = prompt.message(members['role'])
  if (typeof members['name'] === 'string') message.name = members['name']
  for (const part of listOf(members['content'])) readPart(prompt, message, part)
  for (const name of TEXTS) {
    if (textOf(members[name]) !== '') prompt.oddity(members[name], message.texts)
  }
  for (const call of listOf(members['tool_calls'])) {
    const made = membersOf(membersOf(call)?.['function']) ?? membersOf(membersOf(call)?.['custom'])
    if (made === null) prompt.oddity(call, message.texts)
    else readCall(message, made)
  }
  const legacy = membersOf(members['function_call'])
  if (legacy !== null) readCall(message, legacy)
}

function readCall(message: CountedMessage, made: Members): void {
  message.calls.push({ name: textOf(made['name']), input: textOf(made['arguments'] ?? made['input']) })
}

function readPart(prompt: CountedPrompt, message: CountedMessage, part: unknown): void {
  if (typeof part === 'string') {
    message.texts.push(part)
    return
  }
  const members = membersOf(part)
  switch (members?.['type']) {
    case 'text':
      message.texts.push(textOf(members['text']))
      return
    case 'refusal':
      message.texts.push(textOf(members['refusal']))
      return
    case 'image_url': {
      const image = membersOf(members['image_url'])
      const url = textOf(image?.['url'] ?? members['image_url'])
      message.images.push({ base64: base64Of(url), detail: textOf(image?.['detail']) })
      return
    }
    case 'input_audio':
      prompt.media(membersOf(members['input_audio'])?.['data'])
      return
    case 'file':
      prompt.media(membersOf(members['file'])?.['file_data'])
      return
    default:
      prompt.oddity(part, message.texts)
  }
}

/** The bytes of a data address, or null for any other. */
export function base64Of(url: string): string | null {
  if (!url.startsWith('data:')) return null
  const comma = url.indexOf(',')
  return comma === -1 ? null : url.slice(comma + 1)
}

function readFunction(prompt: CountedPrompt, made: Members): void {
  prompt.tools.push({
    name: textOf(made['name']),
    description: textOf(made['description']),
    schema: made['parameters'] ?? made['format'],
  })
}
