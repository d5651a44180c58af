import { expect, test } from 'vitest'
import { networkEnvironment } from '../../../src/sandbox/network/environment.ts'

test('every client finds the forwarder, and loopback stays the sandbox’s own', () => {
  expect(networkEnvironment({ reachesLoopback: false })).toEqual({
    HTTP_PROXY: 'http://127.0.0.1:61080',
    HTTPS_PROXY: 'http://127.0.0.1:61080',
    ALL_PROXY: 'http://127.0.0.1:61080',
    NO_PROXY: 'localhost,127.0.0.1,127.0.0.0/8,::1,[::1]',
    http_proxy: 'http://127.0.0.1:61080',
    https_proxy: 'http://127.0.0.1:61080',
    all_proxy: 'http://127.0.0.1:61080',
    no_proxy: 'localhost,127.0.0.1,127.0.0.0/8,::1,[::1]',
    NODE_USE_ENV_PROXY: '1',
  })
})

test('a list that reaches the host’s loopback sends loopback through the proxy too', () => {
  expect(networkEnvironment({ reachesLoopback: true }, 4000)).toMatchObject({
    https_proxy: 'http://127.0.0.1:4000',
    NO_PROXY: '',
    no_proxy: '',
  })
})
