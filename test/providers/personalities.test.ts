// Every vendor, as strict as it is, takes what clients of every dialect say, whole and streamed, and is shown its own
// credential and nothing of the client's.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DIALECTS } from '../../src/translate/index.ts'
import { Bench } from '../gateway/harness.ts'
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream/index.ts'
import { HOSTS, strict } from '../support/fake-upstream/personalities/index.ts'
import { clientCall } from './client-bodies.ts'
import { planOfHost, USUAL } from './hosts.ts'

const CLIENT_SECRET = 'sk-client-secret-9'
const CLIENT_HEADERS = [
  'authorization',
  `Bearer ${CLIENT_SECRET}`,
  'x-api-key',
  CLIENT_SECRET,
  'x-goog-api-key',
  CLIENT_SECRET,
  'api-key',
  CLIENT_SECRET,
  'cookie',
  `session=${CLIENT_SECRET}`,
  'x-team',
  CLIENT_SECRET,
  'anthropic-version',
  '2023-06-01',
]

let upstream: FakeUpstream
let bench: Bench

beforeEach(async () => {
  upstream = await startFakeUpstream()
})

afterEach(async () => {
  await bench.close()
  await upstream.close()
})

test('every personality has an entry, and every entry a personality', () => {
  bench = new Bench({ providers: [] })
  expect(USUAL.map(({ host }) => host).sort()).toEqual(Object.keys(HOSTS).sort())
})

describe.each(USUAL)('$host', row => {
  describe.each(DIALECTS)('takes calls of %s clients', dialect => {
    test.each([
      ['whole', false],
      ['streamed', true],
    ])('%s', async (_form, stream) => {
      const plan = planOfHost(row)
      bench = new Bench({ providers: [{ ...plan, origin: upstream.origin }] })
      upstream.always(
        strict(row.host, {
          key: row.key,
          aws: {
            accessKeyId: 'AKIDEXAMPLE',
            secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
            region: 'eu-west-1',
            service: 'bedrock',
          },
          secrets: [CLIENT_SECRET],
        }),
      )
      const { path, body } = clientCall(dialect, 'm', stream)
      const reply = await bench.call(path, body, CLIENT_HEADERS)
      expect(reply.text).toContain('twelve')
      expect(reply.status).toBe(200)
      expect(reply.ending).toBe('end')
      expect(upstream.requests).toHaveLength(1)
      expect(bench.bugs).toEqual([])
    })
  })
})
