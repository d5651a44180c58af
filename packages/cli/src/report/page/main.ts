/** The page of one run. It reads what stands in it, and nothing else. */

import { plural } from '../../render/units.ts'
import type { PageData } from '../page-data.ts'
import { artifacts } from './artifacts.ts'
import { el } from './dom.ts'
import { failures } from './failures.ts'
import { head, particulars, summary } from './head.ts'
import { output } from './output.ts'
import { plan } from './plan.ts'
import { printed } from './print.ts'
import { Rows } from './rows.ts'
import { waterfall } from './waterfall.ts'

const data = JSON.parse(document.getElementById('run')!.textContent) as PageData
const rows = new Rows(data)
const calls = rows.count > 0 || data.items.key.length > 0 ? waterfall(rows) : null
const left = data.callsLeftOut + data.itemsLeftOut

const parts = [
  summary(data),
  calls === null ? null : failures(rows, filter => calls.filterBy(filter)),
  plan(data),
  calls?.element ?? null,
  left === 0
    ? null
    : el(
        'p',
        { class: 'note warn' },
        `${plural(left, 'row')} too many for a page: srecodex runs show ${data.report.run} --calls`,
      ),
  output(data),
  artifacts(data),
  particulars(data),
].filter(part => part !== null)

const links = parts.flatMap(part => {
  const title = part.querySelector('h2')
  return title === null ? [] : [el('a', { href: `#${part.id}` }, title.textContent)]
})

document.body.append(
  el(
    'div',
    { class: 'page' },
    head(data),
    el('nav', { 'aria-label': 'parts of this page' }, ...links),
    el('main', {}, ...parts),
  ),
)
// Nobody waits for what is only printed.
const forPrint = (): void => {
  if (rows.count > 0 && document.getElementById('printed') === null)
    document.getElementById('output')!.before(printed(rows))
}
addEventListener('beforeprint', forPrint)
setTimeout(forPrint, 200)
