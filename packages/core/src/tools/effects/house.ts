/** Decides a call of a tool that has only patterns. */

import { judge, lookup, Refusal } from './decision.ts'
import type { Call, Judgement, ToolPolicy } from './decision.ts'
import { matchesPattern } from './patterns.ts'
import { HOUSE_TOOLS } from './tables/house.ts'

export const decideHouse = (call: Call, policy: ToolPolicy): Judgement => {
  const known = lookup(HOUSE_TOOLS, call.tool)
  const words = call.argv.filter(word => !word.startsWith('-'))
  const verb = words.slice(0, 3).join(' ')
  const rest = { target: { kind: 'words' as const, words: call.argv }, words: call.argv }
  for (const [index, word] of call.argv.entries()) {
    const flag = word.split('=', 1)[0] ?? ''
    // A prefix of two letters or more may be completed by the tool.
    const isIdentity = known?.identity.some(one => one === flag || (flag.length > 3 && one.startsWith(flag)))
    if (isIdentity === true && !isOperators(policy.args, word, call.argv[index + 1])) {
      throw new Refusal(`\`${flag}\` decides where the operator's identity goes`, {
        verb,
        hint: `leave it out; the operator sets it in \`[tools.${call.tool}] args\``,
      })
    }
  }
  // Flags and their values may stand before and between the words, so a pattern may begin at any of them.
  const matches = (pattern: string): boolean =>
    [call.argv, words].some(argv => argv.some((_word, from) => matchesPattern(pattern, argv.slice(from))))
  if (known?.refuses.some(matches) === true) {
    return judge('refuse', verb, 'changes the identity of the tool, or starts programs', {
      ...rest,
      lift: 'exact',
    })
  }
  if (known?.reveals.some(matches) === true) return judge('reveal', verb, 'prints a credential', rest)
  return judge('mutate', verb, 'no table and no pattern says that this reads', {
    ...rest,
    hint: `\`[tools.${call.tool}] reads\` takes patterns of calls that only read`,
  })
}

/** `--flag=value`, or `--flag value`, as the operator's own `args` have it. */
const isOperators = (args: readonly string[], word: string, next: string | undefined): boolean =>
  word.includes('=')
    ? args.includes(word)
    : args.some((one, index) => one === word && next !== undefined && args[index + 1] === next)
