import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { eventually, FORWARDER, forwarderTo, freePort, temporaryFolder } from './stage.ts'

const run = promisify(execFile)

test('is strict Perl that loads no module', async () => {
  const { stderr } = await run('/usr/bin/perl', ['-Mstrict', '-Mwarnings', '-c', FORWARDER])
  expect(stderr).toContain('syntax OK')
  expect(stderr.trim().split('\n')).toHaveLength(1)
  expect(await readFile(FORWARDER, 'utf8')).not.toMatch(/^\s*(use|require)\b/m)
})

test('carries every byte both ways, in order', async () => {
  const port = await forwarderTo(await outside(socket => void socket.pipe(socket)))
  const bytes = randomBytes(8 * 1024 * 1024)
  const socket = connect(port, '127.0.0.1')
  socket.end(bytes)
  expect(digest(await everything(socket))).toBe(digest(bytes))
})

test('passes on the end of one side while the other goes on', async () => {
  const port = await forwarderTo(
    await outside(socket => {
      let question = ''
      socket.on('data', part => (question += part.toString()))
      socket.on('end', () => void setTimeout(() => socket.end(`answer to ${question}`), 50))
    }),
  )
  const asking = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  asking.end('question')
  expect((await everything(asking)).toString()).toBe('answer to question')
})

test('passes on the end of the outside while the script still sends', async () => {
  let received = ''
  const port = await forwarderTo(
    await outside(socket => {
      socket.end('done')
      socket.on('data', part => (received += part.toString()))
    }),
  )
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  expect((await everything(socket)).toString()).toBe('done')
  socket.end('late')
  await eventually(() => received === 'late')
})

test('takes no more from one side than the other side takes', async () => {
  let held: Socket | null = null
  const port = await forwarderTo(await outside(socket => void (held = socket.pause())))
  const socket = connect(port, '127.0.0.1')
  const bytes = randomBytes(32 * 1024 * 1024)
  socket.write(bytes)
  await eventually(() => held !== null && socket.writableLength > 0)
  await new Promise<void>(resolve => void setTimeout(resolve, 200))
  // The kernel's buffers took some of it; the forwarder holds one chunk.
  expect(socket.writableLength).toBeGreaterThan(16 * 1024 * 1024)
  socket.end()
  const inOrder = everything(held!)
  held!.resume()
  expect(digest(await inOrder)).toBe(digest(bytes))
})

test('a connection that breaks takes its other side with it', async () => {
  const sides: Socket[] = []
  const port = await forwarderTo(await outside(socket => void sides.push(socket.resume())))
  const leaving = connect(port, '127.0.0.1')
  const left = connect(port, '127.0.0.1')
  const closed = new Promise<void>(resolve => void left.once('close', () => resolve()))
  left.on('error', () => {})
  left.resume()
  await eventually(() => sides.length === 2)
  leaving.resetAndDestroy()
  const ended = (): number => sides.filter(one => one.readableEnded).length
  await eventually(() => ended() > 0)
  expect(ended()).toBe(1)
  for (const side of sides) side.destroy()
  await closed
})

test('serves 1,000 connections at once: those over the limit wait their turn', async () => {
  const port = await forwarderTo(
    await outside(socket => void socket.once('data', bytes => void setTimeout(() => socket.end(bytes), 100))),
  )
  const answers = await Promise.all(
    Array.from({ length: 1000 }, async (_, index) => {
      const socket = connect({ port, host: '127.0.0.1' })
      socket.write(`number ${index}`)
      return (await everything(socket)).toString()
    }),
  )
  expect(answers).toEqual(Array.from({ length: 1000 }, (_, index) => `number ${index}`))
})

test('goes on with few descriptors', async () => {
  const path = await outside(socket => void socket.once('data', bytes => void socket.end(bytes)))
  const port = await freePort()
  const child = execFile('/bin/sh', [
    '-c',
    'ulimit -n 24; exec /usr/bin/perl "$0" "$1" "$2" 1',
    FORWARDER,
    String(port),
    path,
  ])
  onTestFinished(() => void child.kill('SIGKILL'))
  await new Promise<void>(resolve => void child.stdout!.once('data', () => resolve()))
  const answers = await Promise.all(
    Array.from({ length: 100 }, async (_, index) => {
      const socket = connect(port, '127.0.0.1')
      socket.write(String(index))
      return Number((await everything(socket)).toString())
    }),
  )
  expect(answers).toEqual(Array.from({ length: 100 }, (_, index) => index))
})

test('without a proxy a connection ends at once', async () => {
  const port = await forwarderTo(join(await temporaryFolder(), 'nobody.sock'))
  const socket = connect(port, '127.0.0.1')
  expect((await everything(socket)).length).toBe(0)
})

test.each([
  ['a port that is taken', async (path: string) => [String(await forwarderTo(path)), path]],
  ['a path too long for a socket', async () => [String(await freePort()), `/${'x'.repeat(108)}`]],
])('%s ends it with status 70 and nothing on the ready descriptor', async (_, argv) => {
  const [port, path] = await argv(join(await temporaryFolder(), 'nobody.sock'))
  const failed = run('/usr/bin/perl', [FORWARDER, port!, path!, '1'])
  await expect(failed).rejects.toMatchObject({ code: 70, stdout: '' })
})

/** A unix socket whose connections go to `onConnection`. */
async function outside(onConnection: (socket: Socket) => void): Promise<string> {
  const path = join(await temporaryFolder(), 'outside.sock')
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    onConnection(socket)
  })
  await new Promise<void>(resolve => void server.listen(path, resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return path
}

function everything(socket: Socket): Promise<Buffer> {
  return new Promise(resolve => {
    const parts: Buffer[] = []
    socket.on('data', part => void parts.push(part))
    socket.on('error', () => {})
    socket.once('end', () => resolve(Buffer.concat(parts)))
    socket.once('close', () => resolve(Buffer.concat(parts)))
  })
}

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
