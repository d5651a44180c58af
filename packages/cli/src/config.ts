/** The config as commands load it: core knows which tools exist without an entry, and the config room does not. */

import { builtInTools, loadConfig as load, type LoadedConfig } from '@srecodex/core'

/** An untrusted project may lower the limits of a built-in tool, and add none. */
export function loadConfig(options: Parameters<typeof load>[0]): Promise<LoadedConfig> {
  return load({ builtInTools: builtInTools(), ...options })
}
