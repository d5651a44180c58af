/**
 * Records `fixtures/kubectl.json` from the cluster of KUBECONFIG, which it changes:
 *
 *   KUBECONFIG=… node packages/core/test/tools/knowledge/record.ts
 */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AskTool } from '../../../src/tools/calls.ts'
import { knowledgeOf } from '../../../src/tools/knowledge/known.ts'
import { callIdOf, callOfLine, decided, recordedArgv, RECORDING_FILE, SCENARIOS } from './scenarios.ts'
import type { Answered } from './scenarios.ts'

const kubectl = (argv: readonly string[], stdin: string | null): Answered => {
  const done = spawnSync('kubectl', argv, {
    encoding: 'utf8',
    stdio: [stdin === null ? 'ignore' : openSync(stdin, 'r'), 'pipe', 'pipe'],
  })
  return { argv: recordedArgv(argv), exitCode: done.status ?? 128, stdout: done.stdout, stderr: done.stderr }
}

const folder = mkdtempSync(join(tmpdir(), 'record-'))
const answers: Record<string, Answered[]> = {}
const performed: Record<string, Answered[]> = {}
const recording = Date.now().toString(36)
const known = knowledgeOf('kubectl')
for (const [name, { line, stdin, isDone }] of Object.entries(SCENARIOS)) {
  const id = callIdOf(recording, name)
  const kept: Answered[] = []
  const file = stdin === undefined ? null : join(folder, 'stdin')
  if (file !== null) writeFileSync(file, stdin ?? '')
  const ask: AskTool = (argv, options) => {
    const answer = kubectl(argv, options?.stdin ?? null)
    kept.push(answer)
    return Promise.resolve(answer)
  }
  const call = callOfLine(line)
  const decision = decided(line)
  const rehearsal = await known.rehearse(call, decision, ask, [], file)
  console.log(`\n${name}: ${line}\n`, rehearsal)
  if (isDone === true) {
    const started = { call: id, argv: call.argv, decision, before: rehearsal.before }
    console.log('before:', await known.settle?.(started, ask))
    for (const run of rehearsal.runs) {
      const words = known.marked?.({ ...call, argv: run }, id) ?? run
      const done = kubectl(words, file)
      performed[name] = [...(performed[name] ?? []), done]
      console.log(words.join(' '), done.exitCode, done.stdout, done.stderr)
    }
    console.log('after:', await known.settle?.(started, ask))
  }
  answers[name] = kept
}
rmSync(folder, { recursive: true })
const recordedFrom = 'kubectl v1.32.4 against Kubernetes v1.20.2'
writeFileSync(
  RECORDING_FILE,
  `${JSON.stringify({ recordedFrom, id: recording, answers, done: performed }, null, 1)}\n`,
)
