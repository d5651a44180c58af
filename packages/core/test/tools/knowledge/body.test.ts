import { describe, expect, test } from 'vitest'
import { knowledgeOf } from '../../../src/tools/knowledge/known.ts'
import { callOfLine } from './scenarios.ts'

const APPLY = 'kubectl apply -f x'

const body = (text: string, line = APPLY): string => {
  const known = knowledgeOf('kubectl')
  return known.canonicalBody?.(text, callOfLine(line)) ?? 'kubectl has no canonical bodies'
}

const head = 'apiVersion: v1\nkind: ConfigMap\n'

describe('manifests that mean the same', () => {
  test.each([
    [
      'order of keys',
      `${head}metadata: {name: a}\ndata: {x: y}`,
      `data: {x: y}\nmetadata:\n  name: a\n${head}`,
    ],
    [
      'JSON and YAML',
      `${head}data: {a: "1", t: yep}`,
      '{"kind":"ConfigMap","apiVersion":"v1","data":{"t":"yep","a":"1"}}',
    ],
    ['numbers', `${head}a: 3`, '{"apiVersion":"v1","kind":"ConfigMap","a":3}'],
    ['quotes', `${head}data: {x: 'y'}`, `${head}data: {x: "y"}`],
    [
      'what the server adds',
      `${head}metadata: {name: a}`,
      `${head}metadata: {name: a, uid: u, resourceVersion: "3", generation: 2, creationTimestamp: null, managedFields: []}\nstatus: {x: y}`,
    ],
    [
      'in lists',
      'apiVersion: v1\nkind: List\nitems: [{kind: Pod, metadata: {name: a}}]',
      '{"apiVersion":"v1","kind":"List","items":[{"metadata":{"uid":"u","name":"a"},"status":{},"kind":"Pod"}]}',
    ],
    ['empty documents', `---\n${head}---\n# nothing\n---\n`, head],
    [
      'a time of restart',
      `${head}a: {kubectl.kubernetes.io/restartedAt: "2026-01-01T00:00:00Z"}`,
      `${head}a: {kubectl.kubernetes.io/restartedAt: 2026-02-01T00:00:00+01:00}`,
    ],
  ])('%s', (_name, one, other) => {
    expect(body(one)).toBe(body(other))
  })
})

describe('manifests that do not', () => {
  test.each([
    ['values', `${head}data: {x: y}`, `${head}data: {x: z}`],
    ['order of documents', `${head}---\n${head}a: b`, `${head}a: b\n---\n${head}`],
    ['a number and its text', `${head}a: 1`, `${head}a: "1"`],
    ['yes, which YAML 1.1 takes for true', `${head}a: yes`, `${head}a: "yes"`],
    ['an octal number', `${head}a: 0777`, `${head}a: 777`],
    ['an octal number and its text', `${head}a: 0777`, `${head}a: "0777"`],
    ['null and its text', `${head}a: null`, `${head}a: "null"`],
    ['long numbers', `${head}a: 12345678901234567`, `${head}a: 12345678901234568`],
    ['a status elsewhere', `${head}data: {status: a}`, `${head}data: {status: b}`],
    ['annotations', `${head}metadata: {annotations: {a: b}}`, `${head}metadata: {annotations: {a: c}}`],
  ])('%s', (_name, one, other) => {
    expect(body(one)).not.toBe(body(other))
  })

  test('with --subresource=status the status is what counts', () => {
    const line = 'kubectl replace --subresource=status -f x'
    const of = (state: string): string => body(`${head}status: {a: ${state}}`, line)
    expect(of('x')).not.toBe(of('y'))
  })
})

describe('texts that are left as they are', () => {
  test.each([
    ['no object', 'just: a\nmap: of words\n', APPLY],
    ['no YAML', '{{ .Values.x }}: [', APPLY],
    ['a key twice', `${head}a: 1\na: 2\n`, APPLY],
    ['anchors', `${head}a: &x {b: c}\nd: *x\n`, APPLY],
    ['merge keys', `${head}a: {<<: {b: c}}\n`, APPLY],
    ['tags', `${head}a: !!binary aGk=\n`, APPLY],
    ['keys that YAML 1.1 reads as true', `${head}on: x\n`, APPLY],
    ['a manifest that becomes a key', `${head}status: {}\n`, 'kubectl create configmap a --from-file=x'],
    [
      'a manifest that becomes a secret',
      `${head}status: {}\n`,
      'kubectl create secret generic a --from-file=x',
    ],
  ])('%s', (_name, text, line) => {
    expect(body(text, line)).toBe(text)
  })

  test('without the call', () => {
    expect(knowledgeOf('kubectl').canonicalBody?.(`${head}status: {}`)).toBe(`${head}status: {}`)
  })
})

test('a patch keeps what a manifest would lose', () => {
  const line = 'kubectl patch po a --patch-file x'
  expect(body('status: {b: 1, a: 2}', line)).toBe('{"status":{"a":2,"b":1}}')
  expect(body('{"metadata":{"uid":"u"}}', line)).toBe('{"metadata":{"uid":"u"}}')
})
