import { lstat, mkdir } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseAllowlist } from '../../../src/sandbox/network/allowlist.ts'
import { openProxy } from '../../../src/sandbox/network/proxy.ts'
import { eventually, exchange, freePort, httpRemote, proxyFor, rawRemote, temporaryFolder } from './stage.ts'

const get = (url: string, ...headers: string[]): string =>
  [`GET ${url} HTTP/1.1`, 'Host: x', ...headers, '', ''].join('\r\n')
const getAndClose = (url: string): string => get(url, 'Connection: close')
const connectTo = (authority: string): string => `CONNECT ${authority} HTTP/1.1\r\nHost: x\r\n\r\n`
const statuses = (text: string): string[] => [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(one => one[1]!)

describe('what the list opens', () => {
  test('HTTP by an allowed name', async () => {
    const remote = await httpRemote()
    const proxy = await proxyFor([`localhost:${remote.port}`, '127.0.0.0/8'])
    const answer = await exchange(proxy.path, getAndClose(`http://localhost:${remote.port}/a?b=c`))
    expect(answer).toContain('HTTP/1.1 200 OK')
    expect(answer).toContain('hello')
    expect(remote.requests).toEqual([{ line: 'GET /a?b=c', host: `localhost:${remote.port}` }])
  })

  test('a tunnel by an allowed name, with the bytes that came along', async () => {
    const remote = await rawRemote(socket => void socket.end('welcome'))
    const proxy = await proxyFor([`localhost:${remote.port}`, '127.0.0.0/8'])
    const answer = await exchange(proxy.path, `${connectTo(`localhost:${remote.port}`)}early`, 'welcome')
    expect(answer).toBe('HTTP/1.1 200 Connection Established\r\n\r\nwelcome')
    await eventually(() => remote.received() === 'early')
  })

  test('an address inside a range that names the port', async () => {
    const remote = await httpRemote()
    const proxy = await proxyFor([`127.0.0.0/8:${remote.port}`])
    const open = await exchange(proxy.path, getAndClose(`http://127.0.0.1:${remote.port}/`))
    const shut = await exchange(proxy.path, getAndClose(`http://localhost:${remote.port}/`))
    expect(statuses(open)).toEqual(['200'])
    expect(statuses(shut)).toEqual(['403'])
  })

  test('bodies of both framings, and several requests on one connection', async () => {
    const remote = await httpRemote()
    const proxy = await proxyFor([`localhost:${remote.port}`, '127.0.0.0/8'])
    const url = `http://localhost:${remote.port}/`
    const answer = await exchange(
      proxy.path,
      [
        `POST ${url} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\none`,
        `GET ${url} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n`,
        `PUT ${url} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n`,
        `5\r\nthree\r\n0\r\n\r\n`,
      ].join(''),
    )
    expect(statuses(answer).filter(one => one !== '100')).toEqual(['200', '200', '200'])
    expect(answer.match(/one|two|three/g)).toEqual(['one', 'two', 'three'])
    expect(remote.requests).toHaveLength(3)
  })
})

describe('what it refuses, each beside the same request once allowed', () => {
  test('a name that is not on the list, with the flag that allows it', async () => {
    const proxy = await proxyFor(['api.example.com'], { lookup: neverCalled })
    const plain = await exchange(proxy.path, getAndClose('http://other.example.com/'))
    const tunnelled = await exchange(proxy.path, connectTo('other.example.com:443'))
    expect(statuses(plain)).toEqual(['403'])
    expect(plain).toContain(
      'srecodex: network access to other.example.com:80 is not allowed; allow it with --network other.example.com\n',
    )
    expect(tunnelled).toContain(
      'srecodex: network access to other.example.com:443 is not allowed; allow it with --network other.example.com\n',
    )
    expect(await proxy.close()).toMatchObject({
      allowed: 0,
      refused: 2,
      refusedDestinations: [
        { host: 'other.example.com', port: 80, count: 1, allow: 'other.example.com' },
        { host: 'other.example.com', port: 443, count: 1, allow: 'other.example.com' },
      ],
    })
  })

  test.each([22, 25, 8443])('an allowed host on port %d', async port => {
    const proxy = await proxyFor(['api.example.com'], { lookup: neverCalled })
    expect(await exchange(proxy.path, connectTo(`api.example.com:${port}`))).toContain(
      `is not allowed; allow it with --network api.example.com:${port}\n`,
    )
  })

  test('an allowed name that leads to a private address, without a range for it', async () => {
    const remote = await httpRemote()
    const url = getAndClose(`http://localhost:${remote.port}/`)
    const shut = await proxyFor([`localhost:${remote.port}`])
    const open = await proxyFor([`localhost:${remote.port}`, '127.0.0.0/8', '::1'])
    const answer = await exchange(shut.path, url)
    expect(statuses(answer)).toEqual(['403'])
    expect(answer).toMatch(/is not allowed: it resolves to (127\.0\.0\.1|::1) \(loopback\); allow it with/)
    expect(statuses(await exchange(open.path, url))).toEqual(['200'])
  })

  test.each([
    '127.0.0.1',
    '10.0.0.1',
    '169.254.169.254',
    '168.63.129.16',
    '::1',
    'fd00:ec2::254',
    'fe80::1%lo',
    '::ffff:127.0.0.1',
    '64:ff9b::7f00:1',
    '0177.0.0.1',
    '127.1',
    'localhost',
  ])('a public name whose record says %s', async address => {
    const proxy = await proxyFor(['api.example.com'], { lookup: async () => [address] })
    const answer = await exchange(proxy.path, connectTo('api.example.com:443'))
    expect(statuses(answer)).toEqual(['403'])
  })

  test('of mixed records, the address that is not allowed is never connected to', async () => {
    const remote = await httpRemote()
    const trap = await rawRemote(undefined, { host: '127.0.0.2', port: remote.port })
    const proxy = await proxyFor([`api.example.com:${remote.port}`, '127.0.0.1'], {
      lookup: async () => ['127.0.0.2', '10.255.255.1', '127.0.0.1'],
    })
    const answer = await exchange(proxy.path, getAndClose(`http://api.example.com:${remote.port}/`))
    expect(statuses(answer)).toEqual(['200'])
    expect(remote.requests).toEqual([{ line: 'GET /', host: `api.example.com:${remote.port}` }])
    expect(trap.connections()).toBe(0)
  })

  test('a name is resolved once, and the answer that was decided is the one connected to', async () => {
    const remote = await httpRemote()
    const trap = await rawRemote(undefined, { host: '127.0.0.2', port: remote.port })
    const answers = [['127.0.0.1'], ['127.0.0.2'], ['127.0.0.2']]
    let lookups = 0
    const lookup = async () => answers[lookups++] ?? []
    const proxy = await proxyFor([`api.example.com:${remote.port}`, '127.0.0.1'], { lookup })
    const url = getAndClose(`http://api.example.com:${remote.port}/`)
    expect(statuses(await exchange(proxy.path, url))).toEqual(['200'])
    expect(lookups).toBe(1)
    expect(statuses(await exchange(proxy.path, url))).toEqual(['403'])
    expect(lookups).toBe(2)
    expect(statuses(await exchange(proxy.path, connectTo(`api.example.com:${remote.port}`)))).toEqual(['403'])
    expect([remote.requests.length, trap.connections()]).toEqual([1, 0])
  })
})

describe('attacks on the reading of a request', () => {
  test.each([
    '0x7f.1',
    '0x7f000001',
    '2130706433',
    '0177.0.0.1',
    '127.1',
    '127.0.0.1.',
    '[::ffff:127.0.0.1]',
    '[::1%25lo]',
    '[::127.0.0.1]',
    '%6cocalhost',
    '127。0。0。1',
    'localhost\\',
    'localhost#',
    '',
  ])('%j reaches nothing by an address or a tunnel', async host => {
    const remote = await rawRemote()
    const proxy = await proxyFor([`localhost:${remote.port}`, '127.0.0.1', `127.0.0.0/8:${remote.port}`])
    const plain = await exchange(proxy.path, getAndClose(`http://${host}:${remote.port}/`))
    const tunnelled = await exchange(proxy.path, connectTo(`${host}:${remote.port}`))
    expect([...statuses(plain), ...statuses(tunnelled)].every(one => one === '400' || one === '403')).toBe(
      true,
    )
    expect(remote.connections()).toBe(0)
  })

  test('each request of a kept connection is decided', async () => {
    const [allowed, trap] = [await httpRemote(), await httpRemote()]
    const proxy = await proxyFor([`localhost:${allowed.port}`, '127.0.0.0/8'])
    const answer = await exchange(
      proxy.path,
      get(`http://localhost:${allowed.port}/1`) +
        get(`http://localhost:${allowed.port}/2`) +
        get(`http://localhost:${trap.port}/3`) +
        getAndClose(`http://localhost:${allowed.port}/4`),
    )
    expect(statuses(answer)).toEqual(['200', '200', '403', '200'])
    expect(allowed.requests.map(one => one.line)).toEqual(['GET /1', 'GET /2', 'GET /4'])
    expect(trap.requests).toEqual([])
  })

  test('a tunnel asked for behind an allowed request is decided', async () => {
    const [allowed, trap] = [await httpRemote(), await rawRemote()]
    const proxy = await proxyFor([`localhost:${allowed.port}`, '127.0.0.0/8'])
    const first = get(`http://localhost:${allowed.port}/`)
    const answer = await exchange(proxy.path, first + connectTo(`localhost:${trap.port}`))
    expect(statuses(answer)).toEqual(['200', '403'])
    expect(trap.connections()).toBe(0)
    const both = await exchange(proxy.path, first + connectTo(`localhost:${allowed.port}`), 'Established')
    expect(statuses(both)).toEqual(['200', '200'])
  })

  test('a framing behind thousands of headers is seen', async () => {
    const remote = await rawRemote(socket => {
      setTimeout(() => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'), 100)
    })
    const proxy = await proxyFor([`localhost:${remote.port}`, '127.0.0.0/8'])
    const evil = 'GET /evil HTTP/1.1\r\n\r\n'
    await exchange(
      proxy.path,
      `GET http://localhost:${remote.port}/ HTTP/1.1\r\nConnection: close\r\n${'a:\r\n'.repeat(3000)}` +
        `Transfer-Encoding: chunked\r\n\r\n${evil.length.toString(16)}\r\n${evil}\r\n0\r\n\r\n`,
    )
    expect(remote.received()).toContain(`\r\n\r\n${evil.length.toString(16)}\r\n${evil}`)
  })

  test('requests behind one that ends the connection leave nothing open', async () => {
    const remote = await httpRemote()
    const proxy = await proxyFor([`localhost:${remote.port}`, '127.0.0.0/8'])
    const answer = await exchange(proxy.path, get('/') + get(`http://localhost:${remote.port}/`))
    expect(statuses(answer)).toEqual(['400'])
    await new Promise<void>(resolve => void setTimeout(resolve, 100))
    expect([remote.requests.length, proxy.report().allowed]).toEqual([0, 0])
  })

  test('a body never becomes a second request', async () => {
    const remote = await rawRemote(socket => {
      setTimeout(() => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'), 100)
    })
    const proxy = await proxyFor([`localhost:${remote.port}`, '127.0.0.0/8'])
    const evil = 'GET /evil HTTP/1.1\r\nHost: internal\r\n\r\n'
    await exchange(
      proxy.path,
      `GET http://localhost:${remote.port}/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n` +
        `${evil.length.toString(16)}\r\n${evil}\r\n0\r\n\r\n`,
    )
    expect(remote.received()).toContain('Transfer-Encoding: chunked\r\n')
    expect(remote.received()).toContain(`${evil.length.toString(16)}\r\n${evil}\r\n0\r\n\r\n`)
  })

  test.each([
    ['both framings', 'Content-Length: 5\r\nTransfer-Encoding: chunked'],
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 6'],
    ['a list of lengths', 'Content-Length: 5, 6'],
    ['a signed length', 'Content-Length: +5'],
    ['a coding before chunked', 'Transfer-Encoding: gzip, chunked'],
    ['an unknown coding', 'Transfer-Encoding: xchunked'],
    ['a folded coding', 'Transfer-Encoding:\r\n chunked'],
    ['a space before the colon', 'Transfer-Encoding : chunked'],
    ['a bare line feed', 'X: y\nTransfer-Encoding: chunked'],
    ['a NUL', 'X: a\0b'],
  ])('%s is not sent on', async (_, header) => {
    const remote = await rawRemote(socket => void setTimeout(() => socket.end(), 100))
    const proxy = await proxyFor([`localhost:${remote.port}`, '127.0.0.0/8'])
    const answer = await exchange(
      proxy.path,
      `POST http://localhost:${remote.port}/ HTTP/1.1\r\nHost: x\r\n${header}\r\n\r\n0\r\n\r\nGET /evil HTTP/1.1\r\n\r\n`,
    )
    expect(remote.received()).not.toContain('evil')
    expect(statuses(answer).filter(one => one === '200')).toEqual([])
  })

  test('the Host of an allowed request is that of its URL, and headers of the hop stay behind', async () => {
    const remote = await rawRemote(socket => {
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'))
    })
    const proxy = await proxyFor([`localhost:${remote.port}`, '127.0.0.0/8'])
    await exchange(
      proxy.path,
      `GET http://localhost:${remote.port}/ HTTP/1.1\r\nHost: internal\r\nHost: other\r\nX-Kept: 1\r\nX-Hop: 2\r\n` +
        `Proxy-Authorization: Basic eA==\r\nProxy-Connection: keep-alive\r\nUpgrade: websocket\r\n` +
        `Connection: upgrade, x-hop, close\r\n\r\n`,
    )
    expect(remote.received()).toBe(
      `GET / HTTP/1.1\r\nHost: localhost:${remote.port}\r\nX-Kept: 1\r\nConnection: close\r\n\r\n`,
    )
  })

  test.each([
    ['garbage', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03'],
    ['origin form', get('/')],
    ['another scheme', get('https://localhost/')],
    ['no port', connectTo('localhost')],
    ['an endless header', `GET http://localhost/ HTTP/1.1\r\nX: ${'x'.repeat(200_000)}`],
    ['an endless request line', `GET http://localhost/${'x'.repeat(200_000)}`],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ])('%s ends the connection, and the proxy goes on', async (_, bytes) => {
    const remote = await httpRemote()
    const proxy = await proxyFor([`localhost:${remote.port}`, '127.0.0.0/8'])
    const answer = await exchange(proxy.path, Buffer.from(bytes, 'latin1'))
    expect(answer).toMatch(/^(HTTP\/1\.1 4\d\d |$)/)
    const next = await exchange(proxy.path, getAndClose(`http://localhost:${remote.port}/`))
    expect(statuses(next)).toEqual(['200'])
  })
})

test('a connection that is kept for many requests holds nothing back', async () => {
  const remote = await httpRemote()
  const proxy = await proxyFor([`localhost:${remote.port}`, '127.0.0.0/8'])
  const warnings: Error[] = []
  const collect = (warning: Error): void => void warnings.push(warning)
  process.on('warning', collect)
  const socket = (await held(proxy.path, 1))[0]!
  let text = ''
  socket.on('data', bytes => (text += bytes.toString()))
  for (let index = 1; index <= 30; index += 1) {
    socket.write(get(`http://${index % 2 === 0 ? 'other.example' : `localhost:${remote.port}`}/`))
    await eventually(() => statuses(text).length === index)
  }
  socket.destroy()
  process.off('warning', collect)
  expect(warnings).toEqual([])
  expect(remote.requests).toHaveLength(15)
})

test('a refused upload is answered, however large it is', async () => {
  const proxy = await proxyFor([])
  const answer = await exchange(
    proxy.path,
    `POST http://other.example/ HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\nConnection: close\r\n\r\n${'x'.repeat(8_000_000)}`,
  )
  expect(statuses(answer)).toEqual(['403'])
})

describe('remotes that fail', () => {
  test('say so in words', async () => {
    const port = await freePort()
    const proxy = await proxyFor([`localhost:${port}`, `gone.example:${port}`, '127.0.0.0/8'], {
      lookup: async name => {
        if (name === 'localhost') return ['127.0.0.1']
        throw Object.assign(new Error(name), { code: 'ENOTFOUND' })
      },
    })
    const refused = await exchange(proxy.path, connectTo(`localhost:${port}`))
    expect(statuses(refused)).toEqual(['502'])
    expect(refused).toContain(`srecodex: localhost:${port} cannot be reached (ECONNREFUSED)\n`)
    const unknown = await exchange(proxy.path, getAndClose(`http://gone.example:${port}/`))
    expect(unknown).toContain('srecodex: gone.example does not resolve (ENOTFOUND)\n')
  })

  test.each([
    ['nothing', ''],
    ['garbage', 'hello\r\n\r\n'],
    ['a status that is none', 'HTTP/1.1 042 What\r\n\r\n'],
    [
      'a protocol that nobody asked for',
      'HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
    ],
    ['both framings', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['control characters', 'HTTP/1.1 200 O\x01K\r\nX: a\x01b\r\n\r\n'],
    ['an endless header', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(200_000)}`],
    ['half a body', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'],
  ])('%s ends the request and not the proxy', async (_, reply) => {
    const remote = await rawRemote(socket => void socket.once('data', () => socket.end(reply, 'latin1')))
    const proxy = await proxyFor([`localhost:${remote.port}`, '127.0.0.0/8'])
    const answer = await exchange(proxy.path, getAndClose(`http://localhost:${remote.port}/`))
    expect(answer).toMatch(/^(HTTP\/1\.1 502 |HTTP\/1\.1 200 OK\r\nContent-Length: 10)/)
    expect(statuses(await exchange(proxy.path, getAndClose('http://other.example/')))).toEqual(['403'])
  })
})

describe('a client that will not behave', () => {
  test('holds at most 512 connections, and one outside connection for each', async () => {
    const remote = await rawRemote()
    const proxy = await proxyFor([`localhost:${remote.port}`, '127.0.0.0/8'])
    const sockets = await held(proxy.path, 700)
    for (const socket of sockets) {
      socket.resume()
      socket.write(get(`http://localhost:${remote.port}/`).repeat(3))
    }
    const open = (): number => sockets.filter(socket => !socket.destroyed).length
    await eventually(() => open() <= 512 && remote.connections() >= 512)
    expect([open(), remote.connections()]).toEqual([512, 512])
    for (const socket of sockets) socket.destroy()
    await eventually(
      async () => statuses(await exchange(proxy.path, getAndClose('http://x.example/')))[0] === '403',
    )
  })

  test('is cut off when it sends requests far ahead of the answers', async () => {
    const remote = await rawRemote()
    const proxy = await proxyFor([`localhost:${remote.port}`, '127.0.0.0/8'])
    const startedAt = Date.now()
    expect(await exchange(proxy.path, get(`http://localhost:${remote.port}/`).repeat(10_000))).toBe('')
    expect(Date.now() - startedAt).toBeLessThan(3000)
    expect(remote.connections()).toBeLessThanOrEqual(1)
  })

  test('takes its outside connection with it when it leaves', async () => {
    let closed = 0
    const remote = await rawRemote(socket => {
      socket.on('end', () => socket.end())
      socket.once('close', () => (closed += 1))
    })
    const proxy = await proxyFor([`localhost:${remote.port}`, '127.0.0.0/8'])
    const sockets = await held(proxy.path, 2)
    sockets[0]!.write(connectTo(`localhost:${remote.port}`))
    sockets[1]!.write(get(`http://localhost:${remote.port}/`))
    await eventually(() => remote.connections() === 2)
    expect(closed).toBe(0)
    for (const socket of sockets) socket.destroy()
    await eventually(() => closed === 2)
  })

  test('may end its side and still be answered', async () => {
    const remote = await rawRemote(socket => socket.on('end', () => socket.end('late')))
    const proxy = await proxyFor([`localhost:${remote.port}`, '127.0.0.0/8'])
    const answer = await new Promise<string>(resolve => {
      const socket = connect({ path: proxy.path, allowHalfOpen: true })
      let text = ''
      socket.on('data', bytes => (text += bytes.toString()))
      socket.on('end', () => resolve(text))
      socket.end(`${connectTo(`localhost:${remote.port}`)}question`)
    })
    expect(answer).toBe('HTTP/1.1 200 Connection Established\r\n\r\nlate')
    expect(remote.received()).toBe('question')
  })

  test('cannot make the report grow', async () => {
    const proxy = await proxyFor([], { lookup: neverCalled })
    await exchange(proxy.path, connectTo('text@of.its.choice:443'))
    for (let index = 0; index < 50; index += 1) {
      await exchange(proxy.path, connectTo(`n${index}.example:443`))
    }
    await exchange(proxy.path, connectTo('n0.example:443'))
    const report = proxy.report()
    expect(report.refused).toBe(52)
    expect(report.refusedDestinations).toHaveLength(20)
    expect(report.refusedDestinations[0]).toEqual({ host: '(unreadable)', port: 0, count: 1, allow: null })
    expect(report.refusedDestinations[1]).toEqual({
      host: 'n0.example',
      port: 443,
      count: 2,
      allow: 'n0.example',
    })
  })
})

describe('opening and closing', () => {
  test('closing ends every connection at once, also one that waits for a name', async () => {
    const remote = await rawRemote()
    const entries = [`localhost:${remote.port}`, `never.example:${remote.port}`, '127.0.0.0/8']
    const proxy = await proxyFor(entries, {
      lookup: async name => (name === 'localhost' ? ['127.0.0.1'] : await new Promise<string[]>(() => {})),
    })
    const pending = [
      exchange(proxy.path, connectTo(`localhost:${remote.port}`)),
      exchange(proxy.path, get(`http://localhost:${remote.port}/`)),
      exchange(proxy.path, get(`http://never.example:${remote.port}/`)),
      exchange(proxy.path, 'GET htt'),
    ]
    await eventually(() => remote.connections() === 2)
    const startedAt = Date.now()
    const [first, second] = await Promise.all([proxy.close(), proxy.close()])
    await Promise.all(pending)
    expect(Date.now() - startedAt).toBeLessThan(500)
    expect(first).toEqual(second)
    expect(first).toMatchObject({ allowed: 2, refused: 0 })
    await expect(lstat(proxy.path)).rejects.toThrow('ENOENT')
  })

  test('counts the bytes to and from the outside', async () => {
    const remote = await rawRemote(socket => void socket.once('data', () => socket.end('12345678')))
    const proxy = await proxyFor([`localhost:${remote.port}`, '127.0.0.0/8'])
    await exchange(proxy.path, `${connectTo(`localhost:${remote.port}`)}123`)
    expect(await proxy.close()).toEqual({
      allowed: 1,
      refused: 0,
      refusedDestinations: [],
      sentBytes: 3,
      receivedBytes: 8,
    })
  })

  test('a path longer than a socket address', async () => {
    const folder = join(await temporaryFolder(), 'x'.repeat(120))
    await mkdir(folder)
    const listenPath = join(folder, 'network.sock')
    const proxy = await openProxy({ allow: parseAllowlist([]).allow, listenPath })
    const found = await lstat(listenPath)
    expect([found.isSocket(), found.mode & 0o777]).toEqual([true, 0o600])
    await proxy.close()
    await expect(lstat(listenPath)).rejects.toThrow('ENOENT')
  })

  test('a socket that cannot be made is an error with its path', async () => {
    const { allow } = parseAllowlist([])
    const taken = await proxyFor([])
    for (const listenPath of [
      taken.path,
      '/nowhere/network.sock',
      `/nowhere/${'x'.repeat(120)}/network.sock`,
    ]) {
      await expect(openProxy({ allow, listenPath })).rejects.toMatchObject({
        code: 'STATE_UNWRITABLE',
        details: { path: listenPath },
      })
    }
  })
})

async function neverCalled(name: string): Promise<string[]> {
  throw new Error(`${name} was looked up`)
}

/** One after the other: the backlog of a unix socket is short, and a full one answers EAGAIN. */
async function held(path: string, count: number): Promise<Socket[]> {
  const sockets: Socket[] = []
  while (sockets.length < count) {
    const socket = connect(path)
    socket.on('error', () => {})
    await new Promise<void>(resolve => void socket.once('connect', resolve))
    sockets.push(socket)
  }
  return sockets
}
