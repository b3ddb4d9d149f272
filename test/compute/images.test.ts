// Image sizes from their first bytes, and the vendors' published examples of what they cost.

import { deflateSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import {
  claudeImageTokens,
  geminiImageTokens,
  imageSize,
  openaiImageTokens,
} from '../../src/compute/counting/images.ts'

function png(width: number, height: number): string {
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  const chunk = (name: string, data: Buffer): Buffer => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(data.length)
    return Buffer.concat([length, Buffer.from(name), data, Buffer.alloc(4)])
  }
  const parts = [
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(Buffer.alloc(9))),
    chunk('IEND', Buffer.alloc(0)),
  ]
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...parts]).toString('base64')
}

function jpeg(width: number, height: number, profileBytes: number): string {
  const profile = Buffer.alloc(profileBytes + 4, 0xff)
  profile.writeUInt16BE(0xffe2, 0)
  profile.writeUInt16BE(profileBytes + 2, 2)
  const frame = Buffer.from([0xff, 0xff, 0xc2, 0, 17, 8, 0, 0, 0, 0, 3, 1, 0x22, 0])
  frame.writeUInt16BE(height, 6)
  frame.writeUInt16BE(width, 8)
  return Buffer.concat([Buffer.from([0xff, 0xd8]), profile, frame, Buffer.alloc(20)]).toString('base64')
}

function gif(width: number, height: number): string {
  const head = Buffer.alloc(16)
  head.write('GIF89a')
  head.writeUInt16LE(width, 6)
  head.writeUInt16LE(height, 8)
  return head.toString('base64')
}

function webp(kind: 'VP8 ' | 'VP8L' | 'VP8X', width: number, height: number): string {
  const head = Buffer.alloc(40)
  head.write('RIFF____WEBP', 'latin1')
  head.write(kind, 12)
  if (kind === 'VP8 ') {
    head.writeUInt16LE(width | 0x4000, 26)
    head.writeUInt16LE(height, 28)
  } else if (kind === 'VP8L') {
    head[20] = 0x2f
    head.writeUInt32LE((width - 1) | ((height - 1) << 14), 21)
  } else {
    head.writeUIntLE(width - 1, 24, 3)
    head.writeUIntLE(height - 1, 27, 3)
  }
  return head.toString('base64')
}

describe('the size of an image', () => {
  test.each([
    ['PNG', png(1800, 2400), 1800, 2400],
    ['GIF', gif(640, 3), 640, 3],
    ['JPEG', jpeg(4032, 3024, 10), 4032, 3024],
    ['JPEG behind a long profile', jpeg(300, 200, 60_000), 300, 200],
    ['lossy WebP', webp('VP8 ', 1000, 16_000), 1000, 16_000],
    ['lossless WebP', webp('VP8L', 16_384, 1), 16_384, 1],
    ['extended WebP', webp('VP8X', 100_000, 70_000), 100_000, 70_000],
  ])('is read from a %s', (_kind, base64, width, height) => {
    expect(imageSize(base64)).toEqual({ width, height })
  })

  test.each([
    ['nothing', ''],
    ['what is no image', Buffer.from('hello, world, this is text and no image').toString('base64')],
    ['what is not base64', '§§§'],
    ['a JPEG cut before its frame', jpeg(10, 10, 10).slice(0, 16)],
    ['a PNG without width', png(0, 10)],
    ['every beginning of one', png(5, 5).slice(0, 20)],
  ])('is not read from %s', (_what, base64) => {
    expect(imageSize(base64)).toBeNull()
  })
})

describe('what an image costs', () => {
  test.each([
    ['gpt-4o', 1024, 1024, 'high', 765],
    ['gpt-4o', 2048, 4096, 'high', 1105],
    ['gpt-4o', 4096, 8192, 'low', 85],
    ['gpt-4o', 512, 512, '', 255],
    ['gpt-4o-mini', 1024, 1024, 'auto', 2833 + 4 * 5667],
    ['o3', 1024, 1024, '', 75 + 4 * 150],
    ['gpt-5', 1024, 1024, '', 70 + 4 * 140],
    ['gpt-4.1-mini', 1024, 1024, '', Math.ceil(1024 * 1.62)],
    ['o4-mini', 1800, 2400, '', Math.ceil(1452 * 1.72)],
    ['gpt-5-nano', 32, 33, '', Math.ceil(2 * 2.46)],
  ])('%s, %i × %i, detail "%s": %i', (model, width, height, detail, tokens) => {
    expect(openaiImageTokens(model, png(width, height), detail)).toBe(tokens)
  })

  test('is not told by an address, unless its detail is low', () => {
    expect(openaiImageTokens('gpt-4o', null, 'high')).toBeNull()
    expect(openaiImageTokens('gpt-4o', null, 'low')).toBe(85)
    expect(openaiImageTokens('o4-mini', null, 'low')).toBeNull()
  })

  test.each([
    [200, 200, 54],
    [1000, 1000, 1334],
    [1092, 1092, 1590],
    [8000, 8000, 1600],
  ])('Claude, %i × %i: %i', (width, height, tokens) => {
    expect(claudeImageTokens({ width, height })).toBe(tokens)
  })

  test.each([
    [384, 384, 258],
    [960, 540, 6 * 258],
    [3000, 3000, 16 * 258],
  ])('Gemini, %i × %i: %i', (width, height, tokens) => {
    expect(geminiImageTokens({ width, height })).toBe(tokens)
  })
})
