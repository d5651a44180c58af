/** A folder for one benchmark: workspace, state, scripts. All of it goes when the benchmark ends. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Place {
  readonly workspace: string
  readonly environment: Readonly<Record<string, string>>
  readonly file: (name: string) => string
  readonly script: (name: string, text: string) => string
}

export async function withPlace<Result>(act: (place: Place) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'srecodex-bench-'))
  const workspace = join(folder, 'workspace')
  mkdirSync(workspace)
  try {
    return await act({
      workspace,
      environment: {
        PATH: process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin',
        HOME: process.env.HOME ?? '/root',
        SRECODEX_HOME: join(folder, 'home'),
      },
      file: name => join(folder, name),
      script: (name, text) => {
        const path = join(workspace, name)
        writeFileSync(path, text)
        return path
      },
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
