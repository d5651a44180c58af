/** The files that the run kept. */

import { bytes } from '../../render/units.ts'
import type { PageData } from '../page-data.ts'
import { el, section } from './dom.ts'

export function artifacts({ artifacts: files }: PageData): HTMLElement | null {
  if (files.length === 0) return null
  const hasUnlinked = files.some(({ href }) => href === null)
  return section(
    'artifacts',
    'Artifacts',
    el(
      'ul',
      { class: 'lines' },
      ...files.map(({ name, bytes: size, path, href }) =>
        el(
          'li',
          {},
          href === null
            ? el('code', {}, path)
            : el('a', { href, rel: 'noopener noreferrer', title: path }, name),
          ` (${bytes(size)})`,
        ),
      ),
    ),
    hasUnlinked
      ? el(
          'p',
          { class: 'quiet' },
          'Not linked: what a browser might run, for the script made it and it could call home; and what has a secret in its name.',
        )
      : null,
  )
}
