// Before a prompt is translated: pictures that it names by address are fetched, where the file allows it and the target
// takes them by value only. Owns how many and how much; each address is asked for once per exchange, whatever number of
// targets is tried. A picture that cannot be had is the caller's fault, and no other target is tried for it.

import { GatewayError } from '../../common/errors.ts'
import {
  type DialectId,
  type InlineImage,
  type LinkedImage,
  linkedImages,
  type PathFacts,
  readPrompt,
  takesLinks,
  type TargetFacts,
} from '../../translate/index.ts'
import type { ImageFetcher } from '../../upstream/index.ts'
import type { Exchange } from '../exchange.ts'
import { asGatewayFault } from './read.ts'

/** More than any upstream takes in one prompt. */
const IMAGES_MAX = 20
/** All pictures of a prompt: what the strictest bodies of upstreams can hold. */
const IMAGES_BYTES_MAX = 20 * 1024 * 1024
/** A longer body is not looked through on the loop for addresses; it carries its pictures itself. */
const LOOK_BYTES_MAX = 4 * 1024 * 1024

const NONE: readonly InlineImage[] = []

/** What to put in place of addresses; empty, without waiting, for nearly every prompt. */
export function imagesToInline(
  exchange: Exchange,
  upstream: DialectId,
  target: TargetFacts,
  path: PathFacts | null,
): readonly InlineImage[] | Promise<readonly InlineImage[]> {
  const { bytes, services, view } = exchange
  if (services.images === null || view.plan.server.fetchImages !== true) return NONE
  if (takesLinks(exchange.dialect, upstream, target) || !target.facts.images || !mayNameOne(bytes))
    return NONE
  exchange.images ??= fetched(exchange, services.images, path)
  return exchange.images
}

function mayNameOne(bytes: Uint8Array): boolean {
  if (bytes.length > LOOK_BYTES_MAX) return false
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  return text.includes('http') && /image|file_?uri/i.test(text.toString('latin1'))
}

async function fetched(
  exchange: Exchange,
  images: ImageFetcher,
  path: PathFacts | null,
): Promise<readonly InlineImage[]> {
  const links = linksOf(exchange, path)
  const beyond = links[IMAGES_MAX]
  if (beyond !== undefined) throw atFault(beyond, `more than ${IMAGES_MAX} images are named by address`)
  let bytesLeft = IMAGES_BYTES_MAX
  return Promise.all(
    links.map(async link => {
      const { mime, bytes } = await images.fetch(link.url).catch((thrown: unknown) => {
        throw thrown instanceof GatewayError ? named(thrown, link) : thrown
      })
      bytesLeft -= bytes.length
      if (bytesLeft < 0) throw atFault(link, `the images are larger than ${IMAGES_BYTES_MAX} bytes together`)
      return { url: link.url, mime, base64: base64(bytes) }
    }),
  )
}

function linksOf(exchange: Exchange, path: PathFacts | null): readonly LinkedImage[] {
  try {
    return linkedImages(readPrompt(exchange.dialect, exchange.bytes, path))
  } catch (thrown) {
    throw asGatewayFault(thrown)
  }
}

/** The failure, with the member that names the picture. */
function named(error: GatewayError, { param }: LinkedImage): GatewayError {
  return new GatewayError(error.kind, `${param}: ${error.message}`, { param, code: error.code, cause: error })
}

function atFault({ param }: LinkedImage, message: string): GatewayError {
  return new GatewayError('bad-request', `${param}: ${message}`, { param, code: 'image_not_fetched' })
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
}
