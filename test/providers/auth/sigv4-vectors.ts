// The published vectors of AWS signature version 4; where they come from is in the README beside them.

import { readFileSync } from 'node:fs'

export interface Vector {
  readonly name: string
  readonly method: string
  /** Path and query. */
  readonly path: string
  /** Fields besides host and date, in pairs; a name may stand there several times. */
  readonly fields: readonly string[]
  readonly body: string
  readonly sessionToken?: string
  readonly host?: string
  readonly service?: string
  readonly signedHeaders: string
  readonly signature: string
}

interface Suite {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region: string
  readonly service: string
  readonly host: string
  readonly date: string
  readonly vectors: readonly Vector[]
}

const file = new URL('../../fixtures/aws-sigv4/vectors.json', import.meta.url)
export const SUITE = JSON.parse(readFileSync(file, 'utf8')) as Suite

export const VECTOR_KEYS = { accessKeyId: SUITE.accessKeyId, secretAccessKey: SUITE.secretAccessKey }
export const VECTOR_DATE_MS = Date.parse('2015-08-30T12:36:00Z')
