// Features of content: images, documents, sound, film, by value and by reference.

import { asking, type Json, loop, MP4, PDF, PNG, WAV } from './bodies.ts'
import { type Feature, samples, some } from './feature.ts'

const URL_OF_IMAGE = 'https://example.com/a.png'
const URL_OF_PDF = 'https://example.com/a.pdf'

const chat = (part: Json): Json => asking('openai-chat', [part])
const responses = (part: Json): Json => asking('openai-responses', [part])
const messages = (part: Json): Json => asking('anthropic-messages', [part])
const converse = (part: Json): Json => asking('bedrock-converse', [{ text: 'See this.' }, part])
const gemini = (part: Json): Json => asking('gemini-generate', [part])

export const MEDIA_FEATURES: readonly Feature[] = [
  {
    id: 'image-by-value',
    about: 'an image as base64',
    samples: samples(
      chat({ type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } }),
      responses({ type: 'input_image', image_url: `data:image/png;base64,${PNG}` }),
      messages({ type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } }),
      converse({ image: { format: 'png', source: { bytes: PNG } } }),
      gemini({ inlineData: { mimeType: 'image/png', data: PNG } }),
    ),
    arrived: prompt =>
      some(
        prompt,
        'media',
        part =>
          part.media === 'image' &&
          part.mime === 'image/png' &&
          part.source.kind === 'base64' &&
          part.source.data === PNG,
      ),
  },
  {
    id: 'image-by-url',
    about: 'an image by its address',
    samples: samples(
      chat({ type: 'image_url', image_url: { url: URL_OF_IMAGE } }),
      responses({ type: 'input_image', image_url: URL_OF_IMAGE }),
      messages({ type: 'image', source: { type: 'url', url: URL_OF_IMAGE } }),
      null,
      gemini({ fileData: { mimeType: 'image/png', fileUri: URL_OF_IMAGE } }),
    ),
    arrived: prompt =>
      some(prompt, 'media', part => part.source.kind === 'url' && part.source.url === URL_OF_IMAGE),
  },
  {
    id: 'image-by-file-id',
    about: 'an image stored at the vendor of the client dialect',
    samples: samples(
      null,
      responses({ type: 'input_image', file_id: 'file_1' }),
      messages({ type: 'image', source: { type: 'file', file_id: 'file_1' } }),
      null,
      gemini({ fileData: { mimeType: 'image/png', fileUri: 'files/file_1' } }),
    ),
    arrived: prompt =>
      some(prompt, 'media', part => part.source.kind === 'file' && /file_1$/.test(part.source.id)),
  },
  {
    id: 'image-detail',
    about: 'how closely to look at an image',
    samples: samples(
      chat({ type: 'image_url', image_url: { url: URL_OF_IMAGE, detail: 'low' } }),
      responses({ type: 'input_image', image_url: URL_OF_IMAGE, detail: 'low' }),
      null,
      null,
      gemini({
        fileData: { mimeType: 'image/png', fileUri: URL_OF_IMAGE },
        mediaResolution: { level: 'MEDIA_RESOLUTION_LOW' },
      }),
    ),
    // Gemini is told once for all images.
    arrived: prompt =>
      some(prompt, 'media', part => part.detail === 'low') ||
      prompt.vendorWishes.some(
        wish => wish.name === 'generationConfig/mediaResolution' && wish.json === '"MEDIA_RESOLUTION_LOW"',
      ),
  },
  {
    id: 'image-in-s3',
    about: 'an image in the customer`s own storage at AWS',
    samples: samples(
      null,
      null,
      null,
      converse({ image: { format: 'png', source: { s3Location: { uri: 's3://bucket/a.png' } } } }),
      null,
    ),
    arrived: prompt => some(prompt, 'media', part => part.source.kind === 's3'),
  },
  {
    id: 'pdf-by-value',
    about: 'a PDF as base64',
    samples: samples(
      chat({
        type: 'file',
        file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${PDF}` },
      }),
      responses({
        type: 'input_file',
        filename: 'a.pdf',
        file_data: `data:application/pdf;base64,${PDF}`,
      }),
      messages({
        type: 'document',
        source: { type: 'base64', media_type: 'application/pdf', data: PDF },
      }),
      converse({ document: { name: 'a', format: 'pdf', source: { bytes: PDF } } }),
      gemini({ inlineData: { mimeType: 'application/pdf', data: PDF } }),
    ),
    arrived: prompt =>
      some(
        prompt,
        'media',
        part =>
          part.media === 'document' &&
          part.mime === 'application/pdf' &&
          part.source.kind === 'base64' &&
          part.source.data === PDF,
      ),
  },
  {
    id: 'pdf-by-url',
    about: 'a PDF by its address',
    samples: samples(
      null,
      responses({ type: 'input_file', file_url: URL_OF_PDF }),
      messages({ type: 'document', source: { type: 'url', url: URL_OF_PDF } }),
      null,
      gemini({ fileData: { mimeType: 'application/pdf', fileUri: URL_OF_PDF } }),
    ),
    arrived: prompt =>
      some(prompt, 'media', part => part.source.kind === 'url' && part.source.url === URL_OF_PDF),
  },
  {
    id: 'document-by-file-id',
    about: 'a document stored at the vendor of the client dialect',
    samples: samples(
      chat({ type: 'file', file: { file_id: 'file_1' } }),
      responses({ type: 'input_file', file_id: 'file_1' }),
      messages({ type: 'document', source: { type: 'file', file_id: 'file_1' } }),
      null,
      gemini({ fileData: { mimeType: 'application/pdf', fileUri: 'files/file_1' } }),
    ),
    arrived: prompt =>
      some(prompt, 'media', part => part.source.kind === 'file' && /file_1$/.test(part.source.id)),
  },
  {
    id: 'text-document',
    about: 'a document of plain text',
    samples: samples(
      chat({
        type: 'file',
        file: { filename: 'a.txt', file_data: `data:text/plain;base64,${btoa('Oslo')}` },
      }),
      responses({
        type: 'input_file',
        filename: 'a.txt',
        file_data: `data:text/plain;base64,${btoa('Oslo')}`,
      }),
      messages({
        type: 'document',
        source: { type: 'text', media_type: 'text/plain', data: 'Oslo' },
      }),
      converse({ document: { name: 'a', format: 'txt', source: { text: 'Oslo' } } }),
      gemini({ inlineData: { mimeType: 'text/plain', data: btoa('Oslo') } }),
    ),
    arrived: prompt =>
      some(
        prompt,
        'media',
        part =>
          (part.source.kind === 'text' && part.source.text === 'Oslo') ||
          (part.source.kind === 'base64' && part.source.data === btoa('Oslo')),
      ) || some(prompt, 'text', part => part.text.includes('Oslo')),
  },
  {
    id: 'document-title',
    about: 'title and context of a document',
    samples: samples(
      null,
      null,
      messages({
        type: 'document',
        title: 'Report',
        context: 'Of May.',
        source: { type: 'base64', media_type: 'application/pdf', data: PDF },
      }),
      converse({
        document: { name: 'Report', context: 'Of May.', format: 'pdf', source: { bytes: PDF } },
      }),
      null,
    ),
    arrived: prompt =>
      some(
        prompt,
        'media',
        part => (part.title ?? part.name ?? '').startsWith('Report') && part.context === 'Of May.',
      ),
  },
  {
    id: 'document-to-be-cited',
    about: 'citations of a document are wanted',
    samples: samples(
      null,
      null,
      messages({
        type: 'document',
        citations: { enabled: true },
        source: { type: 'base64', media_type: 'application/pdf', data: PDF },
      }),
      converse({
        document: { name: 'a', format: 'pdf', citations: { enabled: true }, source: { bytes: PDF } },
      }),
      null,
    ),
    arrived: prompt => some(prompt, 'media', part => part.cite),
  },
  {
    id: 'search-result',
    about: 'a search result of the client`s own, to be cited',
    samples: samples(
      null,
      null,
      messages({
        type: 'search_result',
        title: 'W',
        source: 'https://example.com/w',
        content: [{ type: 'text', text: 'Oslo is sunny.' }],
        citations: { enabled: true },
      }),
      converse({
        searchResult: {
          title: 'W',
          source: 'https://example.com/w',
          content: [{ text: 'Oslo is sunny.' }],
          citations: { enabled: true },
        },
      }),
      null,
    ),
    arrived: prompt =>
      some(prompt, 'search-result', part => part.url === 'https://example.com/w' && part.cite),
  },
  {
    id: 'audio-by-value',
    about: 'sound as base64',
    samples: samples(
      chat({ type: 'input_audio', input_audio: { format: 'wav', data: WAV } }),
      responses({ type: 'input_audio', input_audio: { format: 'wav', data: WAV } }),
      null,
      converse({ audio: { format: 'wav', source: { bytes: WAV } } }),
      gemini({ inlineData: { mimeType: 'audio/wav', data: WAV } }),
    ),
    arrived: prompt =>
      some(
        prompt,
        'media',
        part => part.media === 'audio' && part.source.kind === 'base64' && part.source.data === WAV,
      ),
  },
  {
    id: 'video-by-value',
    about: 'film as base64',
    samples: samples(
      null,
      null,
      null,
      converse({ video: { format: 'mp4', source: { bytes: MP4 } } }),
      gemini({ inlineData: { mimeType: 'video/mp4', data: MP4 } }),
    ),
    arrived: prompt => some(prompt, 'media', part => part.media === 'video'),
  },
  {
    id: 'tool-result-with-image',
    about: 'an image inside the result of a tool',
    samples: samples(
      null,
      loop('openai-responses', {
        result: [{ type: 'input_image', image_url: `data:image/png;base64,${PNG}` }],
      }),
      loop('anthropic-messages', {
        result: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } }],
      }),
      loop('bedrock-converse', { result: [{ image: { format: 'png', source: { bytes: PNG } } }] }),
      loop('gemini-generate', {
        result: {},
        ofResult: { parts: [{ inlineData: { mimeType: 'image/png', data: PNG } }] },
      }),
    ),
    arrived: prompt => some(prompt, 'media', part => part.media === 'image' && part.source.kind === 'base64'),
  },
]
