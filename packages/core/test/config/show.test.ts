import { expect, test } from 'vitest'
import { configRows, renderConfigToml } from '../../src/config/show.ts'
import { place } from './fixture.ts'

const USER = `[execution_environment]
network = ["a.com"]
[tools.kubectl]
args = ["--token", "abc", "--context=prod", "--password=hunter2"]
[tools.jq]
[mcp_servers."docs"]
command = "npx"
args = ["--api-key=abc"]
[mcp_servers.docs.env]
MODE = "fast"
PORT = "8080"
API_TOKEN = "on"
OPAQUE = "ghp_0123456789abcdef"
[mcp_servers.web]
url = "https://ada:pw@web.example.com/mcp?key=abc"
http_headers = { Accept = "json", Authorization = "Bearer abc", X-Opaque = "9f8e7d6c5b4a39281706" }
`

test('rows say what is in force, where it comes from and what it is for', async () => {
  const p = await place({ user: USER })
  const rows = configRows(await p.load({ places: true }))
  const text = rows.map(row => [row.key, row.value, row.origin, row.place?.replace(p.root, '~')].join(' | '))
  expect(text.filter(line => !line.includes('| default |')).join('\n')).toMatchInlineSnapshot(`
    "execution_environment.network | ["a.com"] | user | ~/.config/srecodex/config.toml:2:11
    tools.kubectl.args | ["--token", "***", "--context=prod", "--password=***"] | user | ~/.config/srecodex/config.toml:4:8
    mcp_servers.docs.command | "npx" | user | ~/.config/srecodex/config.toml:7:11
    mcp_servers.docs.args | ["--api-key=***"] | user | ~/.config/srecodex/config.toml:8:8
    mcp_servers.docs.env | { MODE = "fast", PORT = "8080", API_TOKEN = "***", OPAQUE = "***" } | user | ~/.config/srecodex/config.toml:9:19
    mcp_servers.web.url | "https://***@web.example.com/mcp?***" | user | ~/.config/srecodex/config.toml:15:7
    mcp_servers.web.http_headers | { Accept = "json", Authorization = "***", X-Opaque = "***" } | user | ~/.config/srecodex/config.toml:16:16"
  `)
  expect(rows.filter(row => row.description === '')).toEqual([])
})

test('the whole config is TOML, with secrets masked', async () => {
  const text = renderConfigToml(await (await place({ user: USER })).load())
  expect(text.slice(text.indexOf('[runs]'))).toMatchInlineSnapshot(`
    "[runs]
    keep_days = 30
    max_bytes = "10GiB"

    [tools.kubectl]
    args = ["--token", "***", "--context=prod", "--password=***"]

    [mcp_servers.docs]
    command = "npx"
    args = ["--api-key=***"]
    env = { MODE = "fast", PORT = "8080", API_TOKEN = "***", OPAQUE = "***" }

    [mcp_servers.web]
    url = "https://***@web.example.com/mcp?***"
    http_headers = { Accept = "json", Authorization = "***", X-Opaque = "***" }

    [tools.jq]
    "
  `)
  expect(text).not.toMatch(/abc|hunter2|ghp_|9f8e|pw@/)
})

test('what is rendered loads to the same config', async () => {
  const user = `[execution_environment]
readable = ["/odd \\"name\\"\\u0001\\u007f\\u202e"]
[limits]
cpus = 1.5
[tools."c++filt"]
args = ["a\\nb", "\\\\"]
[tools.jq]
[mcp_servers.docs]
command = "npx"
enabled_tools = []
`
  const first = await (await place({ user })).load()
  const text = renderConfigToml(first)
  expect(['\u0001', '\u007f', '\u202e'].filter(char => text.includes(char))).toEqual([])
  expect((await (await place({ user: text })).load()).config).toEqual(first.config)
})
