// Test vectors of AWS for its signature version 4 (the published suite "aws-sig-v4-test-suite", and the worked example
// of the reference, "ListUsers"). Names are the suite's.

export interface Vector {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly contentType: string | null
  readonly body: string
  readonly service: string
  readonly host: string
  readonly signedHeaders: string
  readonly signature: string
}

export const VECTOR_KEYS = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
}
export const VECTOR_REGION = 'us-east-1'
export const VECTOR_DATE_MS = Date.parse('2015-08-30T12:36:00Z')

function suite(
  name: string,
  method: string,
  path: string,
  signature: string,
  more: Partial<Vector> = {},
): Vector {
  return {
    name,
    method,
    path,
    contentType: null,
    body: '',
    service: 'service',
    host: 'example.amazonaws.com',
    signedHeaders: 'host;x-amz-date',
    signature,
    ...more,
  }
}

export const VECTORS: readonly Vector[] = [
  suite('get-vanilla', 'GET', '/', '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'),
  suite('get-vanilla-query', 'GET', '/', '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'),
  suite(
    'get-vanilla-query-order-key-case',
    'GET',
    '/?Param2=value2&Param1=value1',
    'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  ),
  suite(
    'get-vanilla-empty-query-key',
    'GET',
    '/?Param1=value1',
    'a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb',
  ),
  suite(
    'get-vanilla-utf8-query',
    'GET',
    '/?%E1%88%B4=bar',
    '2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04',
  ),
  suite(
    'get-unreserved',
    'GET',
    '/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
    '07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f',
  ),
  suite('post-vanilla', 'POST', '/', '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'),
  suite(
    'post-vanilla-query',
    'POST',
    '/?Param1=value1',
    '28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11',
  ),
  suite(
    'post-x-www-form-urlencoded',
    'POST',
    '/',
    'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
    {
      contentType: 'application/x-www-form-urlencoded',
      body: 'Param1=value1',
      signedHeaders: 'content-type;host;x-amz-date',
    },
  ),
  suite(
    'ListUsers',
    'GET',
    '/?Action=ListUsers&Version=2010-05-08',
    '5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
    {
      contentType: 'application/x-www-form-urlencoded; charset=utf-8',
      service: 'iam',
      host: 'iam.amazonaws.com',
      signedHeaders: 'content-type;host;x-amz-date',
    },
  ),
]
