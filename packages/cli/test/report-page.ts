/** The page of a run, made and read; and a script that says all that no page may take for its own. */

import type { Project } from '@srecodex/testkit'
import { readFileSync } from 'node:fs'

/** Makes the page, and gives its text. */
export async function pageOf(
  place: Pick<Project, 'run'>,
  run = 'last',
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { exitCode, raw } = await place.run(`runs report ${run}`, { env })
  if (exitCode !== 0) throw new Error(`there is no page: ${raw.stderr}`)
  return readFileSync(raw.stdout.trim(), 'utf8')
}

/** What the page is given. */
// oxlint-disable-next-line typescript/no-explicit-any -- a test asserts the shape that a type would only claim
export function dataOf(html: string): any {
  const json = /<script type="application\/json" id="run">([^<]*)<\/script>/.exec(html)?.[1]
  if (json === undefined) throw new Error('the page has no data')
  return JSON.parse(json)
}

/** Wherever a script has a say it tries to get a word of its own in: `owned` would hear of it. */
export const HOSTILE = String.raw`
import os, sys
from srecodex import each, summary

def image(place):
    return '<img src=x onerror=owned("' + place + '")>'

print('</script><script>owned("stdout")</script><!-- <script>')
print(image("line") + '<svg onload=owned("svg")> \u2028owned("separator")\u2029', "javascript:owned()")
print('</style></pre></body><iframe srcdoc="<script>parent.owned(1)</script>">', file=sys.stderr)

def fail(key):
    raise type(image("class"), (Exception,), {})(image("message") + '</script>')

each([image("item"), '</script><script>owned("key")</script>', '"><b onmouseover=owned(2)>', "\u202egnp.exe"], fail)
folder = os.environ["SRECODEX_ARTIFACTS"]
os.makedirs(folder, exist_ok=True)
for name in [image("file") + ".txt", "page.html", "picture.svg", "javascript:owned(3).txt", "log"]:
    with open(os.path.join(folder, name), "w") as file:
        file.write("<html><script>owned('artifact')</script>")
summary(image("summary") + '</script><script>owned("summary")</script>')
`
