/**
 * Operations that read by name, whose answer holds a secret, a password, a token or a key that the models of
 * botocore mark as sensitive. `fixtures/aws-sensitive-operations.json` lists them with that member.
 */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { decideLine } from './command-line.ts'

const fixture: { operations: Record<string, string> } = JSON.parse(
  readFileSync(new URL('fixtures/aws-sensitive-operations.json', import.meta.url), 'utf8'),
)

/** The service answers with asterisks in these members. */
const MASKED = [
  'fsx describe-backups',
  'fsx describe-file-systems',
  'fsx describe-snapshots',
  'fsx describe-volumes',
  'rds describe-db-clusters',
  'rds describe-db-instances',
  'rds describe-tenant-databases',
  'redshift describe-clusters',
]

test('each is a reveal, save those that the service masks', () => {
  const operations = Object.keys(fixture.operations)
  const reads = operations.filter(operation => decideLine(`aws ${operation}`).effect !== 'reveal')
  expect(reads).toEqual(MASKED)
  expect(operations.length).toBeGreaterThan(60)
})
