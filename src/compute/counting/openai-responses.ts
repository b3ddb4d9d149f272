// What costs tokens in a Responses body.

import {
  type CountedMessage,
  CountedPrompt,
  jsonText,
  listOf,
  type Members,
  membersOf,
  textOf,
} from './counted.ts'
import { base64Of } from './openai-chat.ts'

export function countedResponses(body: Members): CountedPrompt {
  const prompt = new CountedPrompt()
  if (textOf(body['instructions']) !== '') prompt.message('system').texts.push(textOf(body['instructions']))
  for (const item of listOf(body['input'])) {
    const members = membersOf(item)
    if (typeof item === 'string') prompt.message('user').texts.push(item)
    else if (members === null) prompt.oddity(item, prompt.loose)
    else readItem(prompt, members)
  }
  for (const tool of listOf(body['tools'])) {
    const members = membersOf(tool)
    if (members?.['type'] !== 'function' && members?.['type'] !== 'custom') {
      prompt.oddity(tool, prompt.loose)
      continue
    }
    prompt.tools.push({
      name: textOf(members['name']),
      description: textOf(members['description']),
      schema: members['parameters'] ?? members['format'],
    })
  }
  const format = membersOf(membersOf(body['text'])?.['format'])
  if (format?.['schema'] !== undefined) prompt.oddity(jsonText(format['schema']), prompt.loose)
  // Earlier turns are at the vendor: they cost tokens that nobody here can see.
  if (body['previous_response_id'] != null || body['conversation'] != null) prompt.odd = true
  return prompt
}

function readItem(prompt: CountedPrompt, item: Members): void {
  switch (item['type']) {
    case undefined:
    case 'message': {
      const message = prompt.message(item['role'])
      for (const part of listOf(item['content'])) readPart(prompt, message, part)
      return
    }
    case 'function_call':
    case 'custom_tool_call': {
      const input = textOf(item['arguments'] ?? item['input'])
      prompt.message('assistant').calls.push({ name: textOf(item['name']), input })
      return
    }
    case 'function_call_output':
    case 'custom_tool_call_output': {
      const message = prompt.message('tool')
      for (const part of listOf(item['output'])) readPart(prompt, message, part)
      return
    }
    default:
      prompt.oddity(item, prompt.message('assistant').texts)
  }
}

function readPart(prompt: CountedPrompt, message: CountedMessage, part: unknown): void {
  if (typeof part === 'string') {
    message.texts.push(part)
    return
  }
  const members = membersOf(part)
  switch (members?.['type']) {
    case 'input_text':
    case 'output_text':
    case 'text':
      message.texts.push(textOf(members['text']))
      return
    case 'refusal':
      message.texts.push(textOf(members['refusal']))
      return
    case 'input_image':
      message.images.push({
        base64: base64Of(textOf(members['image_url'])),
        detail: textOf(members['detail']),
      })
      return
    case 'input_file':
      prompt.media(members['file_data'])
      return
    case 'input_audio':
      prompt.media(membersOf(members['input_audio'])?.['data'])
      return
    default:
      prompt.oddity(part, message.texts)
  }
}
