/** The AWS skills as scripts call them: the operator's endpoint and profiles, nothing of either in the script's hands. */

import { awsProgram, project, startAws, type Aws, type AwsOptions, type Project } from '@srecodex/testkit'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'

const LONG_MS = 300_000
const SKILLS = fileURLToPath(new URL('../../../dotcodex/skills', import.meta.url))
const WITH_SKILLS = ['--skills-dir', SKILLS]

interface Site extends Project {
  readonly aws: Aws
  // oxlint-disable-next-line typescript/no-explicit-any -- a test asserts the shape that a type would only claim
  readonly launch: (...words: string[]) => Promise<{ exitCode: number; report: any; stderr: string }>
}

/** @param args Besides the endpoint. */
async function site(
  files: Readonly<Record<string, string>>,
  options: AwsOptions,
  args: readonly string[] = [],
): Promise<Site> {
  const program = await awsProgram()
  const aws = await startAws(options)
  onTestFinished(() => aws.stop())
  const place = project({ files })
  mkdirSync(place.path('~/.aws'))
  aws.profiles(place.path('~/.aws'))
  const config = join(place.srecodexHome, 'config', 'config.toml')
  mkdirSync(dirname(config), { recursive: true })
  const all = JSON.stringify(['--endpoint-url', aws.url, ...args])
  writeFileSync(config, `[tools.aws]\nargs = ${all}\nrate = "1000/s"\n`)
  const env = { PATH: `${dirname(program)}:${process.env.PATH}` }
  return {
    ...place,
    aws,
    launch: async (...words) => {
      const told = await place.run([...words, '--json'], { env })
      return { exitCode: told.exitCode, report: told.json(), stderr: told.stderr }
    },
  }
}

const script = (id: string, inputs: string): string => `
import json
from srecodex import skill, summary
done = skill("${id}", ${inputs})
summary(done["summary"])
print(json.dumps(done))
`

describe('the AWS skills', { timeout: LONG_MS }, () => {
  test('an inventory of the accounts that the operator opened, and of no other', async () => {
    const files = {
      'count.py': script('aws/ec2-inventory', 'profiles=["dev", "prod", "secret"], regions=["eu-west-1"]'),
    }
    const accounts = { dev: '111111111111', prod: '222222222222', secret: '333333333333' }
    const at = await site(files, { accounts }, ['--profile', 'dev', '--profile', 'prod'])
    at.aws.addInstances([{ id: 'i-1', region: 'eu-west-1' }], 'dev')
    at.aws.addInstances([{ id: 'i-2', region: 'eu-west-1', state: 'stopped' }], 'prod')
    at.aws.addInstances([{ id: 'i-3', region: 'eu-west-1' }], 'secret')
    const { report } = await at.launch('run', 'count.py', ...WITH_SKILLS)
    expect(report.error ?? report.status).toMatchObject({ code: 'CALL_REFUSED' })
    expect(at.aws.requests.filter(({ account }) => account === accounts.secret)).toEqual([])

    at.write('count.py', script('aws/ec2-inventory', 'profiles=["dev", "prod"], regions=["eu-west-1"]'))
    const opened = await at.launch('run', 'count.py', ...WITH_SKILLS)
    expect({ exitCode: opened.exitCode, summary: opened.report.summary }).toEqual({
      exitCode: 0,
      summary: [
        '2 instances in 2 regions (list: instances.csv)',
        'state: running 1, stopped 1',
        'groups: eu-west-1 running t3 1; eu-west-1 stopped t3 1',
      ].join('\n'),
    })
    expect(opened.report).toMatchObject({
      items: { total: 2, ok: 2 },
      calls: { mutations: 0 },
      artifacts: [{ name: 'instances.csv' }],
    })
  })

  test('a region that was denied: resumed, it is read, and what was read before still counts', async () => {
    const files = { 'count.py': script('aws/ec2-inventory', 'regions=["eu-west-1", "eu-west-3"]') }
    const at = await site(files, {})
    at.aws.addInstances(['eu-west-1', 'eu-west-3'].map((region, n) => ({ id: `i-${n}`, region })))
    at.aws.onRequest = ({ operation, region }) =>
      operation === 'DescribeInstances' && region === 'eu-west-3'
        ? { error: 'UnauthorizedOperation', status: 403, message: 'Not you.' }
        : 'ok'
    const { exitCode, report } = await at.launch('run', 'count.py', ...WITH_SKILLS)
    expect({ exitCode, items: report.items }).toMatchObject({ exitCode: 1, items: { ok: 1, failed: 1 } })
    expect(report.summary).toContain('not read: 111111111111/eu-west-3: UnauthorizedOperation: Not you.')
    at.aws.onRequest = () => 'ok'
    const resumed = await at.launch('resume', report.run)
    expect({ exitCode: resumed.exitCode, items: resumed.report.items }).toMatchObject({
      exitCode: 0,
      items: { ok: 2 },
    })
    expect(resumed.report.summary).toMatch(/^2 instances in 2 regions /)
  })

  test('a search of logs, and a query that takes time; a group that is denied is a failed item', async () => {
    const now = Date.now()
    const at = await site(
      { 'search.py': script('logs/cloudwatch-search', 'log_groups=["a", "b"], pattern="ERROR"') },
      { queryMs: 1000, onQuery: () => ({ rows: [{ errors: '7' }], scannedBytes: 3e6 }) },
    )
    for (const name of ['a', 'b'])
      at.aws.addLogGroup('eu-west-1', name, [{ timestamp: now - 60_000, message: 'ERROR disk 7 is full' }])
    at.aws.onRequest = ({ params }) =>
      params.logGroupName === 'b' ? { error: 'AccessDeniedException', message: 'not authorized' } : 'ok'
    const { report } = await at.launch('run', 'search.py', ...WITH_SKILLS)
    expect(report.summary).toMatch(/^1 event of 1 kind; 1 log group, /)
    expect(report.summary).toContain('1  ERROR disk <n> is full  (a)')
    expect(report.summary).toContain('not complete: b: AccessDeniedException: not authorized')
    expect(report.items).toMatchObject({
      total: 2,
      ok: 1,
      failed: 1,
      failures: [{ class: 'AccessDeniedException' }],
    })

    at.write(
      'search.py',
      script('logs/cloudwatch-search', 'log_groups=["a"], query="stats count(*) as errors"'),
    )
    const query = await at.launch('run', 'search.py', ...WITH_SKILLS)
    expect({ exitCode: query.exitCode, calls: query.report.calls }).toMatchObject({
      exitCode: 0,
      calls: { mutations: 0, failed: 0 },
    })
    expect(query.report.summary).toMatch(/^1 row; 1 log group, .*, 3\.0 MB scanned\nerrors: 7$/)
  })
})
