// Reads the certificate and key of a listener. Owns the messages when they cannot be used; they name the file.

import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { TlsPlan } from '../common/config/index.ts'

export interface Pems {
  readonly cert: Buffer
  readonly key: Buffer
}

export function readPems(tls: TlsPlan): Pems {
  const cert = readPem('certificate', tls.certificateFile)
  const key = readPem('key', tls.keyFile)
  try {
    createSecureContext({ cert, key })
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown)
    throw new Error(`certificate ${tls.certificateFile} and key ${tls.keyFile} cannot be used: ${reason}`)
  }
  return { cert, key }
}

function readPem(what: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException
    throw new Error(`the TLS ${what} file ${path} cannot be read (${code})`)
  }
}
