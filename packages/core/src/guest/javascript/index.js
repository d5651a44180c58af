// The one implementation is CommonJS: `require` of an ES module needs Node 22.12, and scripts may run on 20.
import srecodex from './index.cjs'

export const { SrecodexError, artifact, progress, summary } = srecodex
export default srecodex
