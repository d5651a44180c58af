/** Wrong command lines: what is wrong, and what was probably meant. Exit code 2, nothing on stdout. */

import { project } from '@srecodex/testkit'
import { expect, test } from 'vitest'

const table: readonly [string, string, string][] = [
  ['rnu a.py', "unknown command 'rnu'", 'did you mean run?'],
  ['frobnicate', "unknown command 'frobnicate'", 'srecodex --help lists its commands'],
  ['runs lits', "unknown command 'lits'", 'did you mean list?'],
  ['--verison', "unknown option '--verison'", 'did you mean --version?'],
  ['run a.py --tiemout 3', "unknown option '--tiemout'", 'did you mean --timeout?'],
  [
    'run a.py --verbose',
    "unknown option '--verbose'",
    'srecodex run --help lists its flags; flags of the script go after --: srecodex run SCRIPT -- --verbose',
  ],
  ['run', "missing required argument 'script'", 'srecodex run --help lists its flags'],
  ['runs show', "missing required argument 'run'", 'srecodex runs show --help lists its flags'],
  ['runs search', "missing required argument 'regex'", 'srecodex runs search --help lists its flags'],
  ['completion', "missing required argument 'shell'", 'srecodex completion --help lists its flags'],
  [
    'runs show a b',
    "too many arguments for 'show'. Expected 1 argument but got 2: a, b",
    'srecodex runs show --help lists its flags',
  ],
  [
    'run a.py --timeout',
    '`--timeout` needs a value: --timeout <seconds>',
    'srecodex run --help lists its flags',
  ],
  [
    'run a.py --timeout x',
    '`--timeout` is "x"; it must be a number above 0',
    'srecodex run --help lists its flags',
  ],
  [
    'run a.py --timeout -1',
    '`--timeout` is "-1"; it must be a number above 0',
    'srecodex run --help lists its flags',
  ],
  [
    'run a.py --timeout 1e3',
    '`--timeout` is "1e3"; it must be a number above 0',
    'srecodex run --help lists its flags',
  ],
  [
    'run a.py --max-summary 1.5',
    '`--max-summary` is "1.5"; it must be a whole number above 0',
    'srecodex run --help lists its flags',
  ],
  [
    'run a.py --sandbox open',
    '`--sandbox` is "open"; it must be one of read-only, workspace-write, danger-full-access',
    'srecodex run --help lists its flags',
  ],
  [
    'output last --stream both',
    '`--stream` is "both"; it must be one of stdout, stderr',
    'srecodex output --help lists its flags',
  ],
  [
    'output last --offset some',
    '`--offset` is "some"; it must be a whole number',
    'srecodex output --help lists its flags',
  ],
  [
    'runs list --limit 0',
    '`--limit` is "0"; it must be a whole number above 0',
    'srecodex runs list --help lists its flags',
  ],
  [
    'runs prune --keep-days -1',
    '`--keep-days` is "-1"; it must be 0 or a number above',
    'srecodex runs prune --help lists its flags',
  ],
  [
    'completion ksh',
    '<shell> is "ksh"; it must be one of zsh, bash, fish, powershell',
    'srecodex completion --help lists its flags',
  ],
]

test.for(table)('%s', async ([command, message, hint]) => {
  const { exitCode, stdout, stderr } = await project().run(command)
  expect({ exitCode, stdout, stderr }).toEqual({
    exitCode: 2,
    stdout: '',
    stderr: `error[USAGE]: ${message}\n\nhint: ${hint}\n`,
  })
})
