import { expect, test } from 'vitest'
import { SLOW_MS, cloud, payload } from './skill-aws-payload.ts'

const SCRIPT = 'aws/ec2-inventory/scripts/ec2_inventory.py'

test(
  'every region, page by page, empty pages too; grouped, and listed in a CSV that a spreadsheet cannot run',
  async () => {
    const skill = await payload(SCRIPT)
    const it = await cloud({ pageSize: 2, emptyPages: true })
    const tags = { Name: '=HYPERLINK("http://evil")', owner: 'a "b", c\nd' }
    it.addInstances([1, 2, 3, 4, 5].map(n => ({ id: `i-${n}`, region: 'eu-west-1', type: 't3.micro', tags })))
    it.addInstances([{ id: 'i-6', region: 'us-east-1', type: 'm5.large', state: 'stopped' }])
    it.addInstances([{ id: 'i-7', region: 'us-east-1', state: 'terminated' }])
    const done = await skill.run(it, {})
    expect(done).toEqual({
      summary: [
        '6 instances in 3 regions (list: instances.csv)',
        'state: running 5, stopped 1',
        'groups: eu-west-1 running t3 5; us-east-1 stopped m5 1',
      ].join('\n'),
      total: 6,
      by_state: { running: 5, stopped: 1 },
      groups: [
        { key: { region: 'eu-west-1', state: 'running', family: 't3' }, count: 5 },
        { key: { region: 'us-east-1', state: 'stopped', family: 'm5' }, count: 1 },
      ],
      regions: 3,
      incomplete: [],
      inventory: 'instances.csv',
    })
    const list = skill.read('instances.csv')
    expect(list).toContain('"\'=HYPERLINK(""http://evil"")"')
    expect(list.match(/"i-\d"/g)).toHaveLength(6)
    const pages = it.requests.filter(
      one => one.operation === 'DescribeInstances' && one.region === 'eu-west-1',
    )
    expect(pages).toHaveLength(5)
  },
  SLOW_MS,
)

test.each([
  [{ regions: ['eu-west-1.evil.example/'] }, 'is no region'],
  [{ profiles: ['--debug'] }, 'is no profile'],
  [{ older_than: 'soon' }, 'older_than is a number of days'],
  [{ group_by: ['owner'] }, "cannot group by 'owner'"],
])(
  'inputs that make no sense are refused before any call: %j',
  async (inputs, words) => {
    const skill = await payload(SCRIPT)
    const it = await cloud()
    const { exitCode, stderr } = await skill.start(it, inputs)
    expect(exitCode).toBe(1)
    expect(stderr).toContain(words)
    expect(it.requests).toEqual([])
  },
  SLOW_MS,
)
