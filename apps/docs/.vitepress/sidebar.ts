/** What stands beside a page. The skills are those that ship: each has a page. */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { DefaultTheme } from 'vitepress'
import { SKILLS } from '../generate/repository.ts'

const link = (text: string, to: string): DefaultTheme.SidebarItem => ({ text, link: to })

/** Beside the skills stand the skills: a list of all of them would be too long for everywhere. */
export function sidebar(): DefaultTheme.SidebarMulti {
  return { '/skills/': skills(), '/': general() }
}

function general(): DefaultTheme.SidebarItem[] {
  return [
    {
      text: 'Begin',
      items: [
        link('Getting started', '/start'),
        link('Compared with others', '/comparison'),
        link('Benchmarks', '/benchmarks'),
        link('What enters the context', '/guides/context-figures'),
      ],
    },
    {
      text: 'Concepts',
      items: [
        link('Script first', '/concepts/script-first'),
        link('Sandbox', '/concepts/sandbox'),
        link('Effects of calls', '/concepts/effects'),
        link('Plan and apply', '/concepts/plan-and-apply'),
        link('Journal and resume', '/concepts/journal-and-resume'),
        link('Summary', '/concepts/summary'),
        link('Security model', '/security'),
      ],
    },
    {
      text: 'Guides',
      items: [
        link('Jobs', '/guides/jobs'),
        link('Programmatic orchestration', '/guides/programmatic-orchestration'),
        link('Script-first directive', '/guides/script-first-directive'),
        link('Script-first skills', '/guides/script-first-skills'),
        link('SKILL.md', '/guides/skill-schema'),
        link('Template of a skill', '/guides/skill-template'),
        link('What an agent reads', '/guides/agents'),
      ],
    },
    {
      text: 'Clients',
      items: [
        link('All clients', '/clients/'),
        link('Codex', '/clients/codex'),
        link('Claude Code', '/clients/claude-code'),
        link('opencode', '/clients/opencode'),
        link('Cursor', '/clients/cursor'),
        link('VS Code', '/clients/vs-code'),
      ],
    },
    { text: 'Skills', items: [link('Catalogue', '/skills/')] },
    {
      text: 'Reference',
      items: [
        link('Command line', '/reference/cli'),
        link('Config', '/reference/config'),
        link('Effects of commands', '/reference/effects'),
        link('MCP server', '/reference/mcp'),
        link('Python', '/reference/python'),
        link('JavaScript', '/reference/javascript'),
        link('Bash', '/reference/bash'),
        link('Library', '/reference/library'),
      ],
    },
  ]
}

function skills(): DefaultTheme.SidebarItem[] {
  const namesIn = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true })
      .filter(entry => entry.isDirectory())
      .map(entry => entry.name)
      .sort()
  return [
    { text: 'Skills', items: [link('Catalogue', '/skills/'), link('SKILL.md', '/guides/skill-schema')] },
    ...namesIn(SKILLS).map(area => ({
      text: area,
      items: namesIn(join(SKILLS, area)).map(name => link(name, `/skills/${area}/${name}`)),
    })),
  ]
}

/** All that stands beside a page, for whoever looks for what is missing. */
export function sidebarLinks(): readonly string[] {
  const linksOf = ({ link: to, items = [] }: DefaultTheme.SidebarItem): string[] => [
    ...(to === undefined ? [] : [to]),
    ...items.flatMap(linksOf),
  ]
  return [...general(), ...skills()].flatMap(linksOf)
}
