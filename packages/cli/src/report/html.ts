/**
 * The page of a run as one file that asks for nothing and runs nothing but its own script.
 *
 * Three walls, each enough alone: what a script said is escaped JSON that no parser takes for markup; the page puts it
 * into text nodes only, which Trusted Types enforce; and the policy lets no script, style or request through but the
 * two parts whose digests it names.
 */

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PageData } from './page-data.ts'

export interface PageParts {
  readonly script: string
  readonly style: string
}

/** Beside the bundle: the build puts them there. */
export function loadPageParts(folder: string = import.meta.dirname): PageParts {
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
  return { script: read('report-page.js'), style: read('report-page.css') }
}

export function renderPage(data: PageData, { script, style }: PageParts): string {
  const policy = [
    "default-src 'none'",
    `script-src '${digestOf(script)}'`,
    `style-src '${digestOf(style)}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ')
  const { report, madeAt } = data
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>${escapeHtml(`${report.script.name}: ${report.status} · run ${report.run}`)}</title>
<style>${style}</style>
</head>
<body>
<noscript><p>Run ${escapeHtml(report.run)}: ${escapeHtml(report.status)} (as of ${escapeHtml(madeAt)}). The rest of this page
needs JavaScript; it asks nothing of the network. Without it: srecodex runs show ${escapeHtml(report.run)}</p></noscript>
<script type="application/json" id="run">${jsonForHtml(data)}</script>
<script>${script}</script>
</body>
</html>
`
}

/**
 * JSON that stands inside of a script element. Without a `<` there is no end tag and no comment; U+2028 and U+2029 end
 * lines where JSON is read as a program.
 */
export function jsonForHtml(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[<>&\u2028\u2029]/g,
    letter => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, letter => `&#${letter.charCodeAt(0)};`)
}

function digestOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}
