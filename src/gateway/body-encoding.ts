// Undoes the content-encoding of request bodies, within a bound on the decoded size, so that a small bomb
// cannot become a large allocation.

import { brotliDecompress, gunzip, inflate, type InputType } from 'node:zlib'
import { GatewayError } from '../common/errors.ts'

type Decoder = (
  bytes: InputType,
  options: { maxOutputLength: number },
  done: (error: NodeJS.ErrnoException | null, result: Buffer) => void,
) => void

const DECODERS: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ['gzip', gunzip],
  ['x-gzip', gunzip],
  ['deflate', inflate],
  ['br', brotliDecompress],
])

/** True when the body can be read as it is. */
export function isIdentity(encoding: string | null): boolean {
  return encoding === null || encoding === '' || encoding.toLowerCase() === 'identity'
}

/** Decodes off the loop; `done` gets the bytes or the error to answer with. */
export function decodeBody(
  encoding: string,
  bytes: Uint8Array,
  decodedBytesMax: number,
  done: (result: Uint8Array | GatewayError) => void,
): void {
  const decoder = DECODERS.get(encoding.trim().toLowerCase())
  if (decoder === undefined) {
    done(
      new GatewayError(
        'unsupported-media',
        'content-encoding is not one of gzip, deflate, br, identity; several encodings at once are not read',
      ),
    )
    return
  }
  decoder(bytes, { maxOutputLength: decodedBytesMax }, (error, result) => {
    if (error === null) done(result)
    else if (error.code === 'ERR_BUFFER_TOO_LARGE') {
      done(
        new GatewayError(
          'body-too-large',
          `the decoded request body is larger than ${decodedBytesMax} bytes`,
        ),
      )
    } else done(new GatewayError('bad-request', `the request body is not valid ${encoding}`))
  })
}
