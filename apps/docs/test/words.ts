/** Names that prose uses: commands with their flags, and keys of TOML. Pure. */

export interface NamedCommand {
  /** `srecodex runs show` */
  readonly words: string
  readonly flags: readonly string[]
}

/** In code of a line and in blocks that are typed. Words in capitals are placeholders, and end the command. */
export function commandNames(text: string): readonly NamedCommand[] {
  const code = [...text.matchAll(/`([^`\n]+)`/g), ...text.matchAll(/^\$ (.+)$/gm)].map(([, found]) => found!)
  return code.flatMap(found => {
    const [, rest] = /^srecodex((?: [^|;&]+)?)/.exec(found) ?? []
    if (rest === undefined || rest.trim() === '') return []
    const [before = ''] = rest.split(' -- ')
    const parts = before.trim().split(/\s+/)
    const names = parts.slice(0, parts.findIndex(part => !/^[a-z]+$/.test(part)) >>> 0)
    if (names.length === 0) return []
    const flags = parts.filter(part => /^--[a-z]/.test(part)).map(part => part.replace(/[=,.].*$/, ''))
    return [{ words: `srecodex ${names.join(' ')}`, flags }]
  })
}

/** `tools.kubectl.reads`, in the order of the text. */
export function tomlKeys(text: string): readonly string[] {
  let section = ''
  return text.split('\n').flatMap(line => {
    const [, header] = /^\[([\w.]+)\]$/.exec(line) ?? []
    if (header !== undefined) {
      section = `${header}.`
      return []
    }
    const [, key] = /^([a-z_]+) = /.exec(line) ?? []
    return key === undefined ? [] : [section + key]
  })
}
