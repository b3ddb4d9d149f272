// What an image costs, by the rules vendors publish for its size. Owns reading width and height from the first
// bytes of PNG, JPEG, GIF and WebP; refuses to decode anything. Null where the size is not to be had.

export interface ImageSize {
  readonly width: number
  readonly height: number
}

/** A JPEG tells its size after its profiles and thumbnails; later than this nobody looks. */
const HEAD_BYTES_MAX = 256 * 1024

export function imageSize(base64: string): ImageSize | null {
  const head = Buffer.from(base64.slice(0, Math.ceil((HEAD_BYTES_MAX * 4) / 3)), 'base64')
  const size = pngSize(head) ?? gifSize(head) ?? webpSize(head) ?? jpegSize(head)
  return size !== null && size.width > 0 && size.height > 0 ? size : null
}

function pngSize(head: Buffer): ImageSize | null {
  if (head.length < 24 || head.toString('latin1', 0, 8) !== '\x89PNG\r\n\x1a\n') return null
  return { width: head.readUInt32BE(16), height: head.readUInt32BE(20) }
}

function gifSize(head: Buffer): ImageSize | null {
  if (head.length < 10 || !/^GIF8[79]a$/.test(head.toString('latin1', 0, 6))) return null
  return { width: head.readUInt16LE(6), height: head.readUInt16LE(8) }
}

function webpSize(head: Buffer): ImageSize | null {
  if (head.length < 30 || head.toString('latin1', 0, 4) !== 'RIFF') return null
  switch (head.toString('latin1', 8, 16)) {
    case 'WEBPVP8 ':
      return { width: head.readUInt16LE(26) & 0x3fff, height: head.readUInt16LE(28) & 0x3fff }
    case 'WEBPVP8L': {
      const bits = head.readUInt32LE(21)
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }
    }
    case 'WEBPVP8X':
      return { width: head.readUIntLE(24, 3) + 1, height: head.readUIntLE(27, 3) + 1 }
    default:
      return null
  }
}

/** Segments up to the first frame header; C4, C8 and CC share its numbers and are none. */
function jpegSize(head: Buffer): ImageSize | null {
  if (head.length < 4 || head.readUInt16BE(0) !== 0xffd8) return null
  let at = 2
  while (at + 9 <= head.length && head[at] === 0xff) {
    const marker = head[at + 1]!
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      return { width: head.readUInt16BE(at + 7), height: head.readUInt16BE(at + 5) }
    }
    // A fill byte stands alone; a segment says how long it is, itself included.
    at += marker === 0xff ? 1 : 2 + head.readUInt16BE(at + 2)
  }
  return null
}

/** OpenAI, models that price tiles: a base, and a price per tile of 512 after scaling down. */
interface TilePrice {
  readonly base: number
  readonly tile: number
}

/** Models that see patches of 32 pixels, with the factor that turns patches into tokens. */
const PATCH_FACTORS: readonly (readonly [RegExp, number])[] = [
  [/^gpt-(?:4\.1|5[.\d]*)-mini/, 1.62],
  [/^gpt-(?:4\.1|5[.\d]*)-nano/, 2.46],
  [/^o4-mini/, 1.72],
]

const TILE_PRICES: readonly (readonly [RegExp, TilePrice])[] = [
  [/^gpt-4o-mini/, { base: 2833, tile: 5667 }],
  [/^gpt-5/, { base: 70, tile: 140 }],
  [/^o[13]/, { base: 75, tile: 150 }],
]
/** `gpt-4o`, `gpt-4.1`, `gpt-4.5` and the vision models before them. */
const TILE_PRICE: TilePrice = { base: 85, tile: 170 }

const TILE_SIDE = 512
/** Scaled down to fit this square first, then until the shorter side is `SHORT_SIDE`. */
const SQUARE_SIDE = 2048
const SHORT_SIDE = 768
const PATCH_SIDE = 32
const PATCHES_MAX = 1536

/** `model` without provider and fine-tuning marks. Null: the body does not tell the size. */
export function openaiImageTokens(model: string, base64: string | null, detail: string): number | null {
  const size = base64 === null ? null : imageSize(base64)
  const factor = PATCH_FACTORS.find(([name]) => name.test(model))?.[1]
  if (factor !== undefined) return size === null ? null : Math.ceil(patches(size) * factor)
  const price = TILE_PRICES.find(([name]) => name.test(model))?.[1] ?? TILE_PRICE
  if (detail === 'low') return price.base
  return size === null ? null : price.base + price.tile * tiles(size)
}

function tiles({ width, height }: ImageSize): number {
  const fit = Math.min(1, SQUARE_SIDE / Math.max(width, height))
  const scale = fit * Math.min(1, SHORT_SIDE / (Math.min(width, height) * fit))
  return Math.ceil(rounded(width * scale) / TILE_SIDE) * Math.ceil(rounded(height * scale) / TILE_SIDE)
}

/** Scaling by a quotient lands a hair beside the whole number it means. */
function rounded(pixels: number): number {
  return Math.round(pixels * 1000) / 1000
}

function patches({ width, height }: ImageSize): number {
  const whole = Math.ceil(width / PATCH_SIDE) * Math.ceil(height / PATCH_SIDE)
  if (whole <= PATCHES_MAX) return whole
  const shrink = Math.sqrt((PATCH_SIDE * PATCH_SIDE * PATCHES_MAX) / (width * height))
  const across = (width * shrink) / PATCH_SIDE
  const down = (height * shrink) / PATCH_SIDE
  const snap = Math.min(Math.floor(across) / across, Math.floor(down) / down)
  return Math.min(PATCHES_MAX, Math.ceil(rounded(across * snap)) * Math.ceil(rounded(down * snap)))
}

const CLAUDE_SIDE_MAX = 1568
const CLAUDE_PIXELS_MAX = 1_200_000
const CLAUDE_PIXELS_PER_TOKEN = 750

export function claudeImageTokens({ width, height }: ImageSize): number {
  const fit = Math.min(1, CLAUDE_SIDE_MAX / Math.max(width, height))
  const pixels = Math.min(width * fit * height * fit, CLAUDE_PIXELS_MAX)
  return Math.ceil(pixels / CLAUDE_PIXELS_PER_TOKEN)
}

const GEMINI_SMALL_SIDE = 384
const GEMINI_TILE_TOKENS = 258
const GEMINI_TILE_SIDE_MIN = 256
const GEMINI_TILE_SIDE_MAX = 768

export function geminiImageTokens({ width, height }: ImageSize): number {
  if (width <= GEMINI_SMALL_SIDE && height <= GEMINI_SMALL_SIDE) return GEMINI_TILE_TOKENS
  const wanted = Math.floor(Math.min(width, height) / 1.5)
  const side = Math.min(GEMINI_TILE_SIDE_MAX, Math.max(GEMINI_TILE_SIDE_MIN, wanted))
  return Math.ceil(width / side) * Math.ceil(height / side) * GEMINI_TILE_TOKENS
}
