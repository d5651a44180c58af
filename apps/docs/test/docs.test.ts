/** The pages against their sources: what is generated is complete, and what written pages name exists. */

import { execa } from 'execa'
import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { EXIT_CODES } from '../../../packages/cli/src/exit-codes.ts'
import { isOneSession } from '../../../packages/cli/test/jobs-page.ts'
import { linkedPages } from '../.vitepress/markdown/guide-links.ts'
import { sidebarLinks } from '../.vitepress/sidebar.ts'
import { attacks } from '../generate/attacks.ts'
import { commands, flagsOf } from '../generate/cli.ts'
import { configKeys } from '../generate/config.ts'
import { differences } from '../generate/figures.ts'
import { mcpTools } from '../generate/mcp.ts'
import { generatedPages } from '../generate/pages.ts'
import { PAGES, ROOT, SKILLS } from '../generate/repository.ts'
import { bashCommands, pythonModule } from '../generate/scripts.ts'
import { LOOKING, UNASKED } from '../generate/shell.ts'
import { blocksOf, readPage, rewritten, stepsOf, writtenPages } from './page.ts'
import { isTypedElsewhere, typedElsewhere } from './typed-elsewhere.ts'
import { commandNames, tomlKeys } from './words.ts'

let generated: ReadonlyMap<string, string>
const page = (file: string): string => {
  const text = generated.get(file)
  if (text === undefined) throw new Error(`${file} was not made`)
  return text
}
const headings = (text: string): string[] => [...text.matchAll(/^#{2,3} (.+)$/gm)].map(([, title]) => title!)

beforeAll(async () => {
  generated = await generatedPages()
}, 120_000)

describe('what is generated', () => {
  test('the command line: every command that the program itself lists, and every flag', async () => {
    const { stdout } = await execa(process.execPath, [join(ROOT, 'packages/cli/dist/bin.js'), '--help'])
    const [, list = ''] = stdout.split('Commands:\n')
    const listed = [...list.matchAll(/^ {2}([a-z]+)/gm)]
      .map(([, name]) => name!)
      .filter(name => name !== 'help')
    const shown = headings(page('reference/cli.md'))
    expect(listed.filter(name => !shown.some(title => title.split(' ')[0] === name))).toEqual([])
    expect(listed).toContain('run')
    for (const { command } of commands()) {
      for (const { flags } of flagsOf(command)) expect(page('reference/cli.md')).toContain(`\`${flags}\``)
    }
    const [, told = ''] = stdout.split('Exit codes:\n')
    const codes = [...told.matchAll(/(\d+) ([^·\n]+)/g)].map(([, code, meaning]) => [code, meaning!.trim()])
    expect(codes).toHaveLength(EXIT_CODES.length)
    for (const [code, meaning] of codes)
      expect(page('reference/cli.md')).toContain(`| \`${code}\` | ${meaning} |`)
  })

  test('the config: every key that the shipped file names, and no other', () => {
    const shipped = tomlKeys(
      readFileSync(join(ROOT, 'dotcodex/config.toml'), 'utf8').replaceAll(/^# (?=[a-z_]+ = |\[)/gm, ''),
    )
    const documented = configKeys().map(({ key }) => key)
    expect(
      shipped.map(key => key.replace('tools.kubectl', 'tools.NAME')).filter(key => !documented.includes(key)),
    ).toEqual([])
    expect(shipped.length).toBeGreaterThan(30)
    for (const key of documented)
      expect(page('reference/config.md')).toContain(`\`${key.split('.').at(-1)}\``)
  })

  test('a page for each skill, with its verdict', () => {
    const ids = readdirSync(SKILLS).flatMap(area =>
      readdirSync(join(SKILLS, area)).map(name => `${area}/${name}`),
    )
    const pages = [...generated.keys()].filter(file => /^skills\/.+\/.+\.md$/.test(file))
    expect(pages.sort()).toEqual(ids.map(id => `skills/${id}.md`).sort())
    for (const id of ids) {
      expect(page('skills/index.md')).toContain(`[${id}](./${id}.md)`)
      expect(page(`skills/${id}.md`)).toMatch(/\*\*(script-first|one command|pending)\*\*: \S/)
    }
  })

  test('every export of the library and of the modules for scripts', () => {
    const index = readFileSync(join(ROOT, 'packages/core/src/index.ts'), 'utf8')
    const exported = [...index.matchAll(/^export (?:type )?\{([^}]+)\}/gms)].flatMap(([, names]) =>
      names!.split(',').map(name => name.replace('type ', '').trim()),
    )
    const names = exported.filter(name => name !== '')
    expect(names.filter(name => !headings(page('reference/library.md')).includes(name))).toEqual([])
    expect(names).toContain('runScript')
    const types = readFileSync(join(ROOT, 'packages/core/src/guest/javascript/index.d.ts'), 'utf8')
    const declared = [...types.matchAll(/^export (?:class|function|const|type|interface) (\w+)/gm)].map(
      ([, name]) => name!,
    )
    expect(declared.filter(name => !headings(page('reference/javascript.md')).includes(name))).toEqual([])
    expect(declared).toContain('summary')
    for (const { name } of pythonModule().entries)
      expect(headings(page('reference/python.md'))).toContain(name)
    expect(headings(page('reference/bash.md'))).toEqual([...bashCommands()])
    expect(headings(page('reference/mcp.md'))).toEqual([...mcpTools()])
  })

  test('every attack that the suite runs, and no other', async () => {
    const shown = attackRows(page('parts/attack-list.md'))
    const run = await registeredAttacks()
    const isShown = ({ id, area, title }: AttackRow): boolean =>
      shown.some(row => row.id === id && row.area === area && row.title.startsWith(title))
    expect(run.filter(attack => !isShown(attack))).toEqual([])
    const ids = new Set(run.map(({ id }) => id))
    const unrun = shown.filter(({ id }) => !ids.has(id)).map(({ id }) => id)
    // An ordinary user's run leaves out what only root could do.
    const rootOnly = attacks().flatMap(({ id, arms }) => (arms === 'root' ? [id] : []))
    expect(unrun).toEqual(process.getuid!() === 0 ? [] : rootOnly)
    expect(page('parts/attack-counts.md')).toContain(
      `${shown.filter(({ area }) => area !== HONEST).length} attacks`,
    )
  }, 60_000)

  test('what a shell may type unasked: commands that there are, of which none goes around a person', () => {
    const all = new Set(commands().map(({ path }) => path.replace('srecodex ', '')))
    expect([...LOOKING, ...Object.keys(UNASKED)].filter(words => !all.has(words))).toEqual([])
    expect(LOOKING.filter(words => Object.hasOwn(UNASKED, words))).toEqual([])
    const approving = commands().filter(({ command }) =>
      flagsOf(command).some(({ long }) => long === '--yes' || long === '--mutations'),
    )
    expect(
      approving
        .map(({ path }) => path.replace('srecodex ', ''))
        .filter(words => !Object.hasOwn(UNASKED, words)),
    ).toEqual([])
    for (const words of Object.keys(UNASKED)) {
      expect(page('parts/shell.md')).toContain(`| \`srecodex ${words}\` | `)
      for (const client of ['claude', 'vscode'])
        expect(page(`parts/shell-${client}.md`)).toContain(`srecodex ${words}`)
    }
    for (const words of LOOKING)
      for (const client of ['claude', 'cursor', 'opencode', 'vscode'])
        expect(page(`parts/shell-${client}.md`)).toContain(`srecodex ${words}`)
  })

  test('no placeholder is left, and nothing of the machine that made it', () => {
    const odd = /\bundefined\b.*\|$|\[object Object\]/m
    const faulty = [...generated].filter(([, text]) => odd.test(text) || text.includes(ROOT))
    expect(faulty.map(([file]) => file)).toEqual([])
  })
})

describe('the guides', () => {
  const guides = readdirSync(join(ROOT, 'dotcodex/docs')).filter(name => name.endsWith('.md'))

  test.each(guides)('%s is a page by a link, not by a copy', name => {
    const path = join(PAGES, 'guides', name.toLowerCase())
    expect(lstatSync(path).isSymbolicLink()).toBe(true)
    expect(realpathSync(path)).toBe(join(realpathSync(ROOT), 'dotcodex/docs', name))
  })

  test('no link leads nowhere', () => {
    const names = readdirSync(join(PAGES, 'guides'))
    expect(linkedPages().size).toBe(names.length)
    expect(names.filter(name => !existsSync(join(PAGES, 'guides', name)))).toEqual([])
  })
})

describe('what is written', () => {
  describe.each(writtenPages())('%s', file => {
    const text = readPage(file)

    test('names commands and flags that there are', () => expect(unknownCommands(text)).toEqual([]))

    test('names config keys that there are', () => {
      const keys = new Set(configKeys().map(({ key }) => key))
      const shown = blocksOf(text).filter(block => block.language === 'toml' && block.file === null)
      const named = shown.flatMap(block => tomlKeys(block.text)).filter(key => !CODEX_KEYS.has(key))
      const general = named.map(key => key.replace(/^(tools|mcp_servers)\.[^.]+/, '$1.NAME'))
      expect(general.filter(key => !keys.has(key))).toEqual([])
    })

    test('leads to pages that there are', () => {
      const links = [...text.matchAll(/\]\((\.[^)#\s]*)(?:#[^)]*)?\)/g)].map(([, href]) =>
        join(dirname(file), href!),
      )
      expect(links.filter(target => !generated.has(target) && !existsSync(join(PAGES, target)))).toEqual([])
    })

    test('takes in texts that there are', () => {
      const included = [...text.matchAll(/<!--@include: ([^#\s]+?)(?:#(\S+?))?-->/g)]
      const missing = included.filter(([, path, region]) => {
        const target = join(dirname(file), path!)
        const source = generated.get(target) ?? textAt(join(PAGES, target))
        return source === null || (region !== undefined && !source.includes(`<!-- #region ${region} -->`))
      })
      expect(missing.map(([whole]) => whole)).toEqual([])
      expect(text.match(/<!--/g)?.length ?? 0).toBe(included.length)
    })

    test('tells its runs as one session does', () => {
      const steps = blocksOf(text)
        .filter(({ language }) => language === 'console')
        .flatMap(stepsOf)
      expect(isOneSession(steps)).toBe(true)
    })

    test('says what it is about', () => expect(text).toMatch(/^---\n[\s\S]*?^description: \S.{20,}$/m))
  })

  test('every page stands beside the others', () => {
    const beside = new Set(sidebarLinks().map(link => `${link.slice(1).replace(/(^|\/)$/, '$1index')}.md`))
    const linked = readdirSync(join(PAGES, 'guides')).map(name => `guides/${name}`)
    const all = [...writtenPages(), ...linked, ...generated.keys()].filter(
      file => !file.startsWith('parts/') && file !== 'index.md',
    )
    expect(all.filter(file => !beside.has(file))).toEqual([])
  })

  test('what no page test types is shown somewhere, and has a reason', () => {
    const typed = writtenPages().flatMap(file =>
      blocksOf(readPage(file))
        .filter(({ language }) => language === 'console')
        .flatMap(stepsOf)
        .map(({ command }) => command),
    )
    expect([...typedElsewhere().keys()].filter(command => !typed.includes(command))).toEqual([])
    expect(typed.filter(command => !isTypedElsewhere(command)).length).toBeGreaterThan(12)
  })
})

test('a page is rewritten in the order of its commands, each with what it printed', () => {
  const before = 'A\n\n```console\n$ a\nold\n$ b\n…\nkept\n```\n\n```json\n{}\n```\n\n```console\n$ a\n```\n'
  const after =
    'A\n\n```console\n$ a\nnew\n$ b\n…\nkept\n```\n\n```json\n{}\n```\n\n```console\n$ a\nsecond\n```\n'
  expect(rewritten(before, ['new\n', null, '\nsecond\n'])).toBe(after)
})

/** Keys of a client's own file that a page shows. */
const CODEX_KEYS = new Set(['sandbox_mode', 'approval_policy', 'sandbox_workspace_write.network_access'])

describe('the README', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')

  test('tells the figures that were measured and counted', () => {
    for (const [what, figure] of differences()) {
      expect(readme).toContain(what)
      expect(readme).toContain(figure)
    }
  })

  test('names every command, and each exit code', () => {
    const top = [...new Set(commands().map(({ path }) => path.split(' ').slice(0, 2).join(' ')))]
    expect(top.filter(words => !new RegExp(`\`${words}\\b`).test(readme))).toEqual([])
    expect(top.length).toBeGreaterThan(10)
    for (const { code, meaning } of EXIT_CODES) expect(readme).toContain(`${code} ${meaning}`)
  })

  test('names commands that there are, and scripts of the package', () => {
    expect(unknownCommands(readme)).toEqual([])
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object }
    const named = [...readme.matchAll(/pnpm(?:@12)? ([a-z][\w:]*)/g)].map(([, name]) => name!)
    expect(named.filter(name => !Object.hasOwn(scripts, name))).toEqual([])
    expect(named).toContain('demo')
  })

  test('leads to files that there are', () => {
    const links = [...readme.matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)|(?:src|href)="([^":]+)"/g)].map(
      ([, a, b]) => a ?? b!,
    )
    expect(links.map(link => basename(link))).toContain('demo.svg')
    expect(links.filter(link => !existsSync(join(ROOT, link)))).toEqual([])
  })
})

const textAt = (path: string): string | null => (existsSync(path) ? readFileSync(path, 'utf8') : null)

interface AttackRow {
  readonly area: string
  readonly id: string
  readonly title: string
}

const HONEST = 'honest work'

function attackRows(text: string): AttackRow[] {
  let area = ''
  return text.split('\n').flatMap(line => {
    area = /^### (.*)/.exec(line)?.[1]?.toLowerCase() ?? area
    const [, title, id] = /^\| (.*) \| `([^`]+)` \|$/.exec(line) ?? []
    return title === undefined || id === undefined ? [] : [{ area, id, title: plain(title) }]
  })
}

const plain = (cell: string): string =>
  cell.replaceAll('&lt;', '<').replaceAll('\\|', '|').replaceAll('\\*', '*')

/** By vitest, which runs the file to the names of its tests, and cuts what is long in them. */
async function registeredAttacks(): Promise<AttackRow[]> {
  const suite = 'packages/core/test/attacks/attacks.test.ts'
  const { stdout } = await execa('node_modules/.bin/vitest', ['list', suite, '--no-static-parse', '--json'], {
    cwd: ROOT,
  })
  const names = (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name)
  return names.flatMap(name => {
    const [, area, cut, id] =
      /> (?:(works)|([^:>]+)): (.*) \(([\w-]+)\)(?: > succeeds bare)?$/
        .exec(name)
        ?.filter(part => part !== undefined) ?? []
    if (area === undefined || cut === undefined || id === undefined) return []
    return [{ area: area === 'works' ? HONEST : area.toLowerCase(), id, title: cut.replace(/…$/, '') }]
  })
}

/** Commands and flags of a text that the program does not have. */
function unknownCommands(text: string): string[] {
  const all = commands()
  return commandNames(text).flatMap(({ words, flags }) => {
    const of = all.find(({ path }) => `${words} `.startsWith(`${path} `))
    if (of === undefined) return all.some(({ path }) => path.startsWith(`${words} `)) ? [] : [words]
    // Its flags are the inputs of a skill.
    if (of.path === 'srecodex skills run') return []
    const known = new Set(flagsOf(of.command).map(({ long }) => long))
    return flags.filter(flag => flag !== '--help' && !known.has(flag)).map(flag => `${words} ${flag}`)
  })
}
