import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  boundsOf,
  CallError,
  encodeFailure,
  encodeFrame,
  encodeResult,
  FrameDecoder,
  FRAME_TYPE,
  MAX_PAYLOAD_BYTES,
  parseRequest,
  type Frame,
} from '../../src/tools/protocol.ts'

const TYPES = new Map([
  [1, 100],
  [16, 4],
])

function decode(chunks: readonly Buffer[], decoder = new FrameDecoder(TYPES)): Frame[] {
  const frames: Frame[] = []
  for (const chunk of chunks) {
    decoder.write(chunk)
    for (let frame = decoder.read(); frame !== null; frame = decoder.read()) frames.push(frame)
  }
  return frames
}

function typedKeys<Key extends string>(record: Readonly<Record<Key, unknown>>): readonly Key[] {
  return Object.keys(record) as Key[]
}

function thrownBy(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    if (!(error instanceof CallError)) throw error
    return { code: error.code, id: error.id, message: error.message }
  }
  return 'nothing'
}

describe('frames', () => {
  const stream = Buffer.concat([
    encodeFrame(1, Buffer.from('{"a":1}')),
    encodeFrame(1, Buffer.alloc(0)),
    encodeFrame(16, Buffer.from([0, 1, 2, 255])),
    encodeFrame(1, Buffer.alloc(100, 'x')),
  ])
  const frames = [
    { type: 1, payload: Buffer.from('{"a":1}') },
    { type: 1, payload: Buffer.alloc(0) },
    { type: 16, payload: Buffer.from([0, 1, 2, 255]) },
    { type: 1, payload: Buffer.alloc(100, 'x') },
  ]

  test('are a type, a big-endian length and a payload', () => {
    expect(encodeFrame(16, Buffer.from('hi'))).toEqual(Buffer.from([16, 0, 0, 0, 2, 0x68, 0x69]))
  })

  test('come out of one chunk, of single bytes, and of two chunks cut anywhere', () => {
    expect(decode([stream])).toEqual(frames)
    expect(decode([...stream].map(byte => Buffer.from([byte])))).toEqual(frames)
    for (let cut = 0; cut <= stream.length; cut += 1) {
      expect(decode([stream.subarray(0, cut), stream.subarray(cut)])).toEqual(frames)
    }
  })

  test('wait in the decoder until they are asked for', () => {
    const decoder = new FrameDecoder(TYPES)
    for (const byte of stream) decoder.write(Buffer.from([byte]))
    expect(decoder.heldBytes).toBe(stream.length)
    expect(decode([Buffer.alloc(0)], decoder)).toEqual(frames)
    expect(decoder.heldBytes).toBe(0)
    expect(decoder.partial).toBe(false)
  })

  test('that end early leave the decoder inside a frame', () => {
    for (const cut of [1, 4, 5, 11]) {
      const decoder = new FrameDecoder(TYPES)
      expect(decode([stream.subarray(0, cut)], decoder)).toEqual([])
      expect(decoder.partial).toBe(true)
    }
  })

  test.each([
    ['an unknown type', [2, 0, 0, 0, 0], 'PROTOCOL'],
    ['one byte past the bound', [1, 0, 0, 0, 101], 'TOO_LARGE'],
    ['one byte past the bound of another type', [16, 0, 0, 0, 5], 'TOO_LARGE'],
    ['four gigabytes', [1, 255, 255, 255, 255], 'TOO_LARGE'],
  ])(
    'with %s are refused from the header, again and again, after what came before',
    (_name, header, code) => {
      const decoder = new FrameDecoder(TYPES)
      decoder.write(Buffer.concat([encodeFrame(1, Buffer.from('before')), Buffer.from(header)]))
      expect(decoder.read()?.payload.toString()).toBe('before')
      expect(thrownBy(() => decoder.read())).toMatchObject({ code })
      expect(thrownBy(() => decoder.read())).toMatchObject({ code })
    },
  )

  test('have the types and bounds of PROTOCOL.md', () => {
    const text = readFileSync(new URL('../../src/guest/PROTOCOL.md', import.meta.url), 'utf8')
    const rows = [...text.matchAll(/^\| (\d+) (\w+) \| \w+ \| [^|]+ \| (\d+) ([KM])iB \|$/gm)]
    const written = rows.map(([, type, name, count, unit]) => [
      name,
      Number(type),
      Number(count) * (unit === 'M' ? 1024 * 1024 : 1024),
    ])
    expect(written).toEqual(
      typedKeys(FRAME_TYPE).map(name => [name, FRAME_TYPE[name], MAX_PAYLOAD_BYTES[name]]),
    )
    expect(boundsOf('piece', 'end')).toEqual(
      new Map([
        [18, 64 * 1024],
        [19, 1024 * 1024],
      ]),
    )
  })

  test('are of the types that are expected from then on', () => {
    const decoder = new FrameDecoder(TYPES)
    decoder.write(Buffer.concat([encodeFrame(16, Buffer.from('ab')), encodeFrame(16, Buffer.from('cd'))]))
    expect(decoder.read()?.payload.toString()).toBe('ab')
    decoder.expect(new Map([[1, 100]]))
    expect(thrownBy(() => decoder.read())).toMatchObject({ code: 'PROTOCOL' })
  })

  test('in parts hold what came, not what was promised, and copy it only a few times', () => {
    const bound = 1024 * 1024
    const decoder = new FrameDecoder(new Map([[1, bound]]))
    const header = Buffer.from([1, 0, 0, 0, 0])
    header.writeUInt32BE(bound, 1)
    decode([header, Buffer.alloc(10)], decoder)
    expect(decoder.heldBytes).toBeLessThan(8192)
    const started = performance.now()
    for (let sent = 10; sent < bound - 1; sent += 1) {
      decoder.write(Buffer.from([7]))
      if (decoder.read() !== null) throw new Error('too early')
    }
    expect(decoder.heldBytes).toBeLessThanOrEqual(bound)
    decoder.write(Buffer.from([7]))
    expect(decoder.read()?.payload.length).toBe(bound)
    // A million copies of half a megabyte would take minutes.
    expect(performance.now() - started).toBeLessThan(20_000)
  })
})

describe('requests', () => {
  test.each([
    ['{"v":1,"id":7,"method":"m","params":{"a":1}}', { id: 7, method: 'm', params: { a: 1 } }],
    ['{"v":1,"id":"x","method":"m"}', { id: 'x', method: 'm', params: {} }],
    ['{"v":1,"id":null,"method":"","params":{}}', { id: null, method: '', params: {} }],
  ])('%s', (text, request) => {
    expect(parseRequest(Buffer.from(text))).toEqual(request)
  })

  test.each([
    ['', 'PROTOCOL', null],
    ['{', 'PROTOCOL', null],
    ['null', 'PROTOCOL', null],
    ['[]', 'PROTOCOL', null],
    ['"x"', 'PROTOCOL', null],
    ['{"v":1,"method":"m"}', 'PROTOCOL', null],
    ['{"v":1,"id":1.5,"method":"m"}', 'PROTOCOL', null],
    ['{"v":1,"id":1e300,"method":"m"}', 'PROTOCOL', null],
    ['{"v":1,"id":{},"method":"m"}', 'PROTOCOL', null],
    [`{"v":1,"id":"${'x'.repeat(65)}","method":"m"}`, 'PROTOCOL', null],
    ['{"id":1,"method":"m"}', 'PROTOCOL', 1],
    ['{"v":2,"id":1,"method":"m"}', 'PROTOCOL', 1],
    ['{"v":1,"id":1}', 'PROTOCOL', 1],
    ['{"v":1,"id":1,"method":["m"]}', 'PROTOCOL', 1],
    ['{"v":1,"id":1,"method":"m","params":[]}', 'INVALID_PARAMS', 1],
    ['{"v":1,"id":1,"method":"m","params":null}', 'INVALID_PARAMS', 1],
  ])('refused: %s', (text, code, id) => {
    expect(thrownBy(() => parseRequest(Buffer.from(text)))).toMatchObject({ code, id })
  })

  test('half a million arrays deep do not overflow the stack', () => {
    const deep = '['.repeat(500_000)
    expect(thrownBy(() => parseRequest(Buffer.from(deep)))).toMatchObject({ code: 'PROTOCOL' })
    const whole = `{"v":1,"id":1,"method":"m","params":{"deep":${deep}${']'.repeat(500_000)}}}`
    expect(parseRequest(Buffer.from(whole)).method).toBe('m')
  })

  test('bytes that are not UTF-8 become U+FFFD', () => {
    const request = Buffer.concat([
      Buffer.from('{"v":1,"id":1,"method":"'),
      Buffer.from([0xff]),
      Buffer.from('"}'),
    ])
    expect(parseRequest(request).method).toBe('\uFFFD')
  })
})

describe('responses', () => {
  test('carry a result or an error', () => {
    expect(encodeResult(1, undefined).toString('utf8', 5)).toBe('{"id":1,"result":null}')
    expect(encodeResult('a', { path: 'x' }).toString('utf8', 5)).toBe('{"id":"a","result":{"path":"x"}}')
    expect(encodeFailure(null, { code: 'C', message: 'm', hint: null }).toString('utf8', 5)).toBe(
      '{"id":null,"error":{"code":"C","message":"m","hint":null}}',
    )
  })

  test('carry up to 16 MiB', () => {
    const { length } = '{"id":1,"result":""}'
    const largest = encodeResult(1, 'x'.repeat(MAX_PAYLOAD_BYTES.response - length))
    expect(decode([largest], new FrameDecoder(boundsOf('response')))[0]?.payload.length).toBe(
      16 * 1024 * 1024,
    )
  })

  test('that cannot be carried are errors of their call', () => {
    const cycle: Record<string, unknown> = {}
    cycle['self'] = cycle
    expect(thrownBy(() => encodeResult(1, cycle))).toMatchObject({ code: 'INTERNAL', id: 1 })
    expect(thrownBy(() => encodeResult(1, 1n))).toMatchObject({ code: 'INTERNAL', id: 1 })
    expect(thrownBy(() => encodeResult(1, 'x'.repeat(MAX_PAYLOAD_BYTES.response)))).toMatchObject({
      code: 'TOO_LARGE',
      id: 1,
    })
  })
})
