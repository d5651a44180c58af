import { expect, test } from 'vitest'
import { exchange, proxyFor } from './stage.ts'

test('a request whose headers never end is given up after half a minute', { timeout: 60_000 }, async () => {
  const proxy = await proxyFor([])
  const startedAt = Date.now()
  expect(await exchange(proxy.path, 'GET http://localhost/ HTTP/1.1\r\nX: ')).toMatch(/^HTTP\/1\.1 408 /)
  expect(Date.now() - startedAt).toBeLessThan(45_000)
})
