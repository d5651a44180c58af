/** The figures of context as text for a terminal and as Markdown for the guides. Pure. */

import type { ArmFigures, ContextFigures } from './context.ts'

/** Of chat's tokens, on each bulk case. */
const TARGET = 1 / 100

const HEADINGS = {
  bulk: 'Bulk and large data',
  workflow: 'A workflow of several steps',
  chat: 'Where chat is the better way, or as good',
} as const

export function renderContext(figures: readonly ContextFigures[]): string {
  const head = ['', 'turns', 'entered', 'script : chat', 'billed', 'script : chat', 's', 'answer']
  const lines = figures.flatMap(one => [
    [one.name, '', '', ratio(one, 'entered'), '', ratio(one, 'billed'), '', ''],
    ...(['script', 'chat'] as const).map(arm => {
      const { turns, entered, billed, tookMs, wrong } = one[arm]
      const counts = [String(turns), count(entered), '', count(billed), '', seconds(tookMs)]
      return [`  ${arm}: ${one.arms[arm]}`, ...counts, wrong === null ? 'right' : `WRONG: ${wrong}`]
    }),
  ])
  const all = [head, ...lines]
  const widths = head.map((_, at) => Math.max(...all.map(row => (at === 7 ? 0 : row[at]!.length))))
  return all
    .map(row => row.map((cell, at) => (at === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[at]!))))
    .map(row => `${row.join('  ').trimEnd()}\n`)
    .join('')
}

export interface MarkdownFacts {
  readonly command: string
  readonly opencodeVersion: string
}

export function contextMarkdown(
  figures: readonly ContextFigures[],
  { command, opencodeVersion }: MarkdownFacts,
): string {
  const kinds = Object.keys(HEADINGS) as (keyof typeof HEADINGS)[]
  const sections = kinds.flatMap(kind => {
    const those = figures.filter(one => one.kind === kind)
    return those.length === 0 ? [] : [`## ${HEADINGS[kind]}`, tableOf(those), targetsOf(kind, those)]
  })
  const longest = Math.max(...figures.map(({ script }) => script.longestResultChars))
  const [first] = figures
  return [
    '# Context figures',
    `Made by \`${command}\` with opencode ${opencodeVersion}; tokens as o200k_base counts them.`,
    HOW,
    ...sections,
    '## What else was measured',
    [
      `- The longest result of srecodex had ${count(longest)} characters; none may have more than 2,500.`,
      `- Before its first call opencode's own prompt and tools take ${count(rounded(first?.chat.fixed ?? 0))} tokens, ` +
        `with srecodex's ${ownTools(figures)} tools and its instructions ${count(rounded(first?.script.fixed ?? 0))}. *Billed* has them in every turn, *entered* not at all.`,
    ].join('\n'),
    '## How chat was replayed',
    POLICY,
  ]
    .filter(part => part !== '')
    .join('\n\n')
    .concat('\n')
}

const HOW = `Each job is done twice through the same agent, in equal worlds: once with srecodex and one script, once turn by turn
with the agent's own tools. The model is scripted in both, so that the same job is done; what is counted are the bytes
that the agent really sent to it. Every answer is checked against the truth of its world.

- **Entered**: tokens of every call and every result, each once. What the work brings into the context.
- **Billed**: input tokens of all requests together. Each turn sends again all that came before it.
- **Ratio**: script-first to chat.
- **Time** is without the model's own: a real model takes seconds for each turn. Times differ from run to run; so
  do tokens a little, with ids, ages and what a rollout says on its way. They are rounded to three digits.`

const POLICY = `- One command a turn, and no pipes, loops or filters: those are scripts. A pipe in the agent's own shell is as small as
  a script, and stands above with the jobs that chat does as well; what it has not is a sandbox, a plan, a journal.
- A command whose success the next one needs is joined to it by \`&&\`, as opencode asks its model to: that is fewer turns.
- Outputs are what a person would ask for: tables of \`kubectl\`, not JSON, which is some forty times as long.
- The cluster is a stand-in behind the real \`kubectl\`; its rollouts take about a second, so a rollout says little.
- Every output is read to its end, for the answer must be right. opencode shows the last 50 KB of a long output and
  keeps the whole in a file; the rest is read from there in its pages.
- The chat arm has no srecodex, and does not carry the tokens of its tools.
- Script-first looks for a skill before it uses one, writes its script once, and where there is a plan approves it by a
  call of its own; each of these is counted.`

function tableOf(figures: readonly ContextFigures[]): string {
  const rows = figures.flatMap(one =>
    (['script', 'chat'] as const).map(arm => {
      const { turns, entered, billed, tookMs, wrong } = one[arm]
      return [
        arm === 'script' ? `**${one.name}**` : '',
        `${arm === 'script' ? 'script-first' : 'chat'}: ${one.arms[arm].replaceAll('|', '\\|')}`,
        String(turns),
        count(rounded(entered)),
        arm === 'chat' ? ratio(one, 'entered') : '',
        count(rounded(billed)),
        arm === 'chat' ? ratio(one, 'billed') : '',
        `${seconds(tookMs)} s`,
        wrong === null ? 'right' : '**wrong**',
      ]
    }),
  )
  const head = ['Job', 'Way', 'Turns', 'Entered', 'ratio', 'Billed', 'ratio', 'Time', 'Answer']
  const marks = head.map((_, at) => (at > 1 && at < 8 ? '---:' : '---'))
  return [head, marks, ...rows].map(cells => `| ${cells.join(' | ')} |`.replaceAll('|  |', '| |')).join('\n')
}

function targetsOf(kind: ContextFigures['kind'], figures: readonly ContextFigures[]): string {
  if (kind !== 'bulk') return ''
  const missed = figures.filter(({ script, chat }) => script.entered > chat.entered * TARGET)
  const target = 'The target is at most 1/100 of what chat brings into the context'
  if (missed.length === 0) return `${target}: it holds in each of these.`
  const named = missed.map(one => `${one.name} (${ratio(one, 'entered')})`)
  return (
    `${target}. It holds in ${figures.length - missed.length} of ${figures.length}. Missed: ${named.join('; ')}. ` +
    'What script-first costs is fixed, what chat costs grows with the number of items.'
  )
}

/** What the one arm has over the other, which may have a server of its own. */
function ownTools(figures: readonly ContextFigures[]): number {
  return Math.max(...figures.map(({ script, chat }) => script.tools - chat.tools))
}

function ratio({ script, chat }: ContextFigures, of: keyof ArmFigures & ('entered' | 'billed')): string {
  const times = chat[of] / script[of]
  return times >= 1 ? `1 : ${digits(times)}` : `${digits(1 / times)} : 1`
}

function digits(times: number): string {
  return times >= 10 ? count(Math.round(times)) : times.toFixed(1)
}

function rounded(tokens: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, tokens))) - 2)
  return Math.round(tokens / unit) * unit
}

function count(number: number): string {
  return number.toLocaleString('en-US')
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(0)
}
