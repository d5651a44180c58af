/**
 * What `kubectl --help` lists: every verb with its sub-commands and flags, in the notation of the table.
 *
 * `fixtures/kubectl-help.json` holds it for one client, so that the table is held to a help even where no kubectl
 * is installed.
 */

import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

export interface HelpPage {
  readonly subcommands: readonly string[]
  /** Names only: whether a flag takes a value is not in the help of every kind. */
  readonly flags: readonly {
    readonly short: string | null
    readonly long: string
    readonly isSwitch: boolean
  }[]
}

export const isKubectlInstalled = (): boolean =>
  (process.env['PATH'] ?? '').split(delimiter).some(folder => existsSync(join(folder, 'kubectl')))

const help = (words: readonly string[]): string =>
  execFileSync('kubectl', words, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', KUBECONFIG: '/dev/null' },
  })

export const parseHelp = (text: string): HelpPage => {
  const subcommands: string[] = []
  let isListing = false
  for (const line of text.split('\n')) {
    if (/^\S/.test(line)) isListing = /^[A-Z].*Commands?\b.*:$/.test(line)
    const word = /^ {2}([a-z][\w-]*) {2,}/.exec(line)?.[1]
    if (isListing && word !== undefined) subcommands.push(word)
  }
  const start = /^(?:Options|The following options).*:$/m.exec(text)
  const options = start === null ? '' : text.slice(start.index).split(/^Usage:/m, 1)[0]
  const flags = [...(options ?? '').matchAll(/^ {4}(?:-(\w), )?--([\w.-]+)(?:=(.*))?:$/gm)].map(match => ({
    short: match[1] ?? null,
    long: match[2] ?? '',
    isSwitch: match[3] === 'true' || match[3] === 'false',
  }))
  return { subcommands, flags }
}

export const installedHelp = (): Map<string, HelpPage> => {
  const pages = new Map<string, HelpPage>()
  const visit = (path: readonly string[]): void => {
    const page = parseHelp(help([...path, '--help']))
    pages.set(
      path.join(' '),
      path.length === 0 ? { ...page, flags: parseHelp(help(['options'])).flags } : page,
    )
    for (const word of page.subcommands) visit([...path, word])
  }
  visit([])
  return pages
}
