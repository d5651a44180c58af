/** Tools with a table of their own; any other has only the operator's patterns. */
export const BUILT_IN_TOOLS = ['kubectl', 'helm', 'aws', 'psql', 'amtool', 'curl'] as const

export type BuiltInTool = (typeof BUILT_IN_TOOLS)[number]
