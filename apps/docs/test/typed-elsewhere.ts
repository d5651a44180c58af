/** Commands of the pages that a test of the pages cannot type, each with what does. Nothing else may stand here. */

const ELSEWHERE: Readonly<Record<string, string>> = {
  'npm install --global srecodex': 'packages/cli/test/pack.full.test.ts installs the packed tarballs',
  'srecodex doctor --fix': '`pnpm setup` runs it before the tests',
  'npx -y pnpm@12 demo': 'apps/docs/test/picture.full.test.ts runs the demo in a terminal',
  'npx -y pnpm@12 test': 'the short tests, which are being run',
  'pnpm --filter @srecodex/docs figures':
    'takes minutes; what it recorded is what the page shows, with the command of each',
}

export const isTypedElsewhere = (command: string): boolean => Object.hasOwn(ELSEWHERE, command)

export const typedElsewhere = (): ReadonlyMap<string, string> => new Map(Object.entries(ELSEWHERE))
