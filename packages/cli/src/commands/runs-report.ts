/** `srecodex runs report`: one run as a page that needs no network, for whoever was not there. */

import { homes, isOpen, openOnDesktop, showRun, SrecodexError } from '@srecodex/core'
import { join } from 'node:path'
import { renderNotice } from '../render/error.ts'
import { givenPath } from '../render/path.ts'
import { collect, PAGE_NAME } from '../report/collect.ts'
import { loadPageParts, renderPage } from '../report/html.ts'
import { writePage } from '../report/write-page.ts'
import type { Terminal } from '../terminal.ts'

interface ReportFlags {
  readonly output?: string
  readonly open?: boolean
  readonly json?: boolean
}

export async function report(terminal: Terminal, run: string, flags: ReportFlags): Promise<number> {
  const isPiped = flags.output === '-'
  if (isPiped && (flags.open === true || flags.json === true)) {
    throw new SrecodexError(
      'USAGE',
      `--output - and --${flags.open === true ? 'open' : 'json'} do not go together`,
      {
        hint: 'give --output a file, or leave it out',
      },
    )
  }
  const state = homes(terminal.env).state
  const record = await showRun(state, run)
  const folder = join(state, 'runs', record.id)
  const path = isPiped
    ? null
    : flags.output === undefined
      ? join(folder, PAGE_NAME)
      : givenPath(flags.output, terminal)
  const html = renderPage(await collect(record, path, terminal), loadPageParts())
  if (path === null) {
    terminal.out(html)
    return 0
  }
  await writePage(path, html)
  const why = flags.open === true ? await openOnDesktop(path, terminal.env) : null
  const opened = flags.open === true ? { opened: why === null } : {}
  if (flags.json === true) {
    terminal.out(`${JSON.stringify({ run: record.id, path, bytes: Buffer.byteLength(html), ...opened })}\n`)
  } else terminal.out(`${path}\n`)
  if (why !== null) terminal.err(renderNotice(`not opened: ${why}`))
  if (isOpen(record)) terminal.err(renderNotice('the run still goes on: the page says how it stands now'))
  return 0
}
