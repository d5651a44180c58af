/** Where the files that enter the sandbox lie: beside this module, or below it once everything is one bundle. */

import { basename, join } from 'node:path'

export const guestFolder =
  basename(import.meta.dirname) === 'guest' ? import.meta.dirname : join(import.meta.dirname, 'guest')
