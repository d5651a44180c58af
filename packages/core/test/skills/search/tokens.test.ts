import { expect, test } from 'vitest'
import { chunks, isStopWord, stem, takeApart } from '../../../src/skills/search/tokens.ts'

/** [as written, its words, all of it as one word] */
const RUNS: readonly [string, string[], string | null][] = [
  ['restart', ['restart'], null],
  ['Restart', ['restart'], null],
  ['CrashLoopBackOff', ['crash', 'loop', 'back', 'off'], 'crashloopbackoff'],
  ['OOMKilled', ['oom', 'killed'], 'oomkilled'],
  ['bulk-restart', ['bulk', 'restart'], 'bulkrestart'],
  ['bulk_restart', ['bulk', 'restart'], 'bulkrestart'],
  ['node.js', ['node', 'js'], 'nodejs'],
  ['getPods', ['get', 'pods'], 'getpods'],
  ['GitHub', ['github'], null],
  ['JavaScript', ['javascript'], null],
  ['CloudWatch', ['cloudwatch'], null],
  ['APIs', ['apis'], null],
  ['k8s', ['k8s'], null],
  ['ec2', ['ec2'], null],
  ['python3', ['python3'], 'python'],
  ["who's", ['who'], null],
  ["don't", ['dont'], null],
  ['café', ['cafe'], null],
  ['日志搜索', ['日志', '志搜', '搜索'], null],
]

test.each(RUNS)('%s is taken apart', (run, words, whole) => {
  expect(takeApart(run)).toEqual({ words, whole })
})

/** [text, words] */
const TEXTS: readonly [string, string[]][] = [
  ['who’s paging me?', ['who', 'paging', 'me']],
  ['k8s: CI/CD, ec2!', ['k8s', 'ci', 'cd', 'ec2']],
  ['C++, C# and .NET', ['cpp', 'csharp', 'and', 'dotnet']],
  ['ｋ８ｓ ﬁle', ['k8s', 'file']],
  ['-leading trailing- a--b', ['leading', 'trailing', 'a', 'b']],
  ['🔥🔥 pods 💀', ['pods']],
  ['\ud83d lone surrogate', ['lone', 'surrogate']],
  [`sha ${'0123456789abcdef'.repeat(4)}`, ['sha']],
  ['', []],
]

test.each(TEXTS)('%j is read', (text, words) => {
  expect(chunks(text).flatMap(chunk => chunk.words)).toEqual(words)
})

/** Each line is one word to search. */
test.each([
  ['pod', 'pods'],
  ['restart', 'restarts', 'restarted', 'restarting'],
  ['migrate', 'migration', 'migrations', 'migrating'],
  ['die', 'dying', 'died', 'dies'],
  ['health', 'healthy', 'unhealthy'],
  ['500', '500s'],
])('%s and its forms are one', (...forms) => {
  expect(new Set(forms.map(stem)).size).toBe(1)
})

/** Not a plural, and not the same. */
test.each([
  ['aws', 'aw'],
  ['dns', 'dn'],
  ['deploy', 'deployment'],
  ['k8s', 'k8'],
])('%s and %s are two', (one, other) => {
  expect(stem(one)).not.toBe(stem(other))
})

test('words of every object are words like any other', () => {
  for (const word of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    expect(typeof stem(word)).toBe('string')
    expect(isStopWord(word)).toBe(false)
  }
})
