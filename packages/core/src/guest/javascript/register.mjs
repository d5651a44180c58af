// Without a sandbox there is no /node_modules for the guest library to be found in: this hook answers for it.
// Loaded by `node --import`; needs module.registerHooks (Node 22.15 or later), and does nothing without.

import module from 'node:module'

const library = new URL('./index.cjs', import.meta.url).href

module.registerHooks?.({
  resolve: (specifier, context, next) =>
    specifier === 'srecodex' ? { url: library, shortCircuit: true } : next(specifier, context),
})
