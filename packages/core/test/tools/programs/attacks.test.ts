/** What a script, or a tool led astray, would like to reach. Each denial stands beside what does work. */

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { call, createBench, processesWith, type Bench } from './bench.ts'
import { staticProgram } from './static-program.ts'

let bench: Bench
beforeEach(() => {
  bench = createBench()
})
afterEach(() => bench.clear())

const SH = '#!/bin/sh\n'
const DRIVER = join(import.meta.dirname, 'driver.ts')
const ENV = `${SH}/usr/bin/tr '\\0' '\\n' < /proc/self/environ; echo ---; /usr/bin/tr '\\0' '\\n' < /proc/1/environ\n`

describe('a program that a script planted', () => {
  it('is not taken from a PATH that leads through the workspace', async () => {
    bench.write('workspace/bin/deployctl', `${SH}echo planted\n`, 0o755)
    const folder = join(bench.workspace, 'bin')
    symlinkSync(folder, join(bench.root, 'link'))
    for (const path of [folder, join(bench.root, 'link'), '', '.']) {
      const programs = await bench.open({ deployctl: {} }, { environment: { PATH: `${path}:/usr/bin` } })
      expect(programs.names).not.toContain('deployctl')
    }
    bench.tool('deployctl', `${SH}echo real\n`)
    const programs = await bench.open({ deployctl: {} }, { environment: { PATH: `${folder}:${bench.bin}` } })
    expect((await call(programs, 'deployctl')).stdout).toBe('real\n')
  })

  it('is not taken from behind a link, nor read by an interpreter in the workspace', async () => {
    const planted = bench.write('workspace/planted', `${SH}echo planted\n`, 0o755)
    symlinkSync(planted, join(bench.bin, 'linked'))
    copyFileSync('/bin/cat', join(bench.workspace, 'python'))
    bench.tool('readby', `#!${bench.workspace}/python\n`)
    const programs = await bench.open({ linked: {}, readby: {} })
    expect(programs.names).not.toContain('linked')
    expect(programs.names).not.toContain('readby')
  })

  it('is not started as a helper', async () => {
    const planted = bench.write('workspace/login', `${SH}echo planted\n`, 0o755)
    bench.tool('deployctl', `${SH}login\n`)
    const programs = await bench.open({ deployctl: { helpers: [planted] } })
    await expect(call(programs, 'deployctl')).rejects.toThrow('which is not on your PATH')
    const login = bench.write('elsewhere/login', `${SH}echo logged in\n`, 0o755)
    const mended = await bench.open({ deployctl: { helpers: [login] } })
    expect((await call(mended, 'deployctl')).stdout).toBe('logged in\n')
  })
})

describe('the files of the operator', () => {
  it('are read by the tool that they are given to, and by no other', async () => {
    const key = bench.write('home/.ssh/id_ed25519', 'the key')
    const text = `${SH}cat ${key} 2>&1; ls -A ${bench.home} ${bench.home}/.ssh 2>&1\n`
    for (const name of ['one', 'other']) bench.tool(name, text)
    const programs = await bench.open({ one: { credentials: [key] }, other: {} })
    expect((await call(programs, 'one')).stdout).toContain('the key')
    const said = await call(programs, 'other')
    expect(said.stdout).not.toContain('the key')
    expect(said.stdout).toContain(`cat: ${key}: No such file`)
  })

  it('cannot be written, though the tool can read them', async () => {
    const token = bench.write('home/.token', 'secret')
    bench.tool('writer', `${SH}cat ${token}; echo evil > ${token}; rm -f ${token}; mv ${token} /tmp/x\n`)
    expect((await call(await bench.open({ writer: { credentials: [token] } }), 'writer')).stdout).toBe(
      'secret',
    )
    expect(readFileSync(token, 'utf8')).toBe('secret')
  })

  it('are refused where a script could read or change them', async () => {
    const token = bench.write('workspace/token', 'secret')
    symlinkSync(token, join(bench.home, 'link'))
    bench.tool('reader', `${SH}cat "$@"\n`)
    for (const path of [token, join(bench.home, 'link')]) {
      const programs = await bench.open({ reader: { credentials: [path] } })
      await expect(call(programs, 'reader', [path])).rejects.toMatchObject({ code: 'REFUSED' })
      const cached = await bench.open({ reader: { cache: [join(bench.workspace, 'cache')] } })
      await expect(call(cached, 'reader', [path])).rejects.toMatchObject({ code: 'REFUSED' })
    }
    bench.tool('kubectl', `${SH}cat $KUBECONFIG\n`)
    const kubeconfig = bench.write('workspace/kubeconfig', 'clusters: []\n')
    const environment = { PATH: bench.bin, KUBECONFIG: kubeconfig }
    await expect(call(await bench.open({}, { environment }), 'kubectl')).rejects.toThrow(
      'lies in the workspace',
    )
  })

  it('cannot be covered by what a script hands over', async () => {
    const config = bench.write('home/.aws/config', 'of the operator')
    const source = bench.write('spool/1', 'of the script')
    bench.tool('aws', `${SH}cat $AWS_CONFIG_FILE\n`)
    const programs = await bench.open()
    for (const path of [
      config,
      '/etc/passwd',
      '/usr/bin/sh',
      '/run/srecodex/kubeconfig',
      '/tmp',
      'relative',
      '/tmp/../etc/x',
    ]) {
      const given = call(programs, 'aws', [], { files: [{ path, source }] })
      await expect(given).rejects.toMatchObject({ code: 'REFUSED' })
    }
    const files = [{ path: '/tmp/input.json', source }]
    expect((await call(programs, 'aws', [], { files })).stdout).toBe('of the operator')
  })

  it('that its variables and arguments name are shown to it', async () => {
    const bundle = bench.write('pki/bundle.pem', 'authorities')
    const netrc = bench.write('home/.netrc', 'login')
    bench.tool('aws', `${SH}cat $AWS_CA_BUNDLE "$2"\n`)
    const environment = { PATH: bench.bin, AWS_CA_BUNDLE: bundle }
    const programs = await bench.open({ aws: { args: ['--netrc-file', netrc] } }, { environment })
    expect((await call(programs, 'aws')).stdout).toBe('authoritieslogin')
  })
})

describe('a workspace that a tool is shown', () => {
  const swapped = async (workspace: 'read' | 'write' | 'hidden') => {
    bench.tool('reader', `${SH}cat ~/.toolrc; cat "$1"\n`)
    const inner = join(bench.home, 'job')
    mkdirSync(join(inner, 'kept'), { recursive: true })
    const path = bench.write('home/job/dir/.toolrc', 'of the workspace')
    const source = bench.write('spool/toolrc', 'of the script')
    const shape = {
      path: inner,
      mode: 'workspace-write',
      protected: [join(inner, 'kept')],
      hidden: [],
    } as const
    const programs = await bench.open({ reader: {} }, { workspace: shape })
    const run = () => call(programs, 'reader', [path], { files: [{ path, source }], workspace, cwd: inner })
    return { inner, run }
  }

  it('has no link followed, by which a file would become the config of the tool', async () => {
    const { inner, run } = await swapped('write')
    const honest = await run()
    expect(honest).toMatchObject({
      stdout: 'of the script',
      stderr: expect.stringContaining('.toolrc: No such'),
    })
    renameSync(join(inner, 'dir'), join(inner, 'was'))
    symlinkSync('..', join(inner, 'dir'))
    await expect(run()).rejects.toThrow('the workspace changed')
  })

  it('is not there for links to be followed where it is hidden', async () => {
    const { inner, run } = await swapped('hidden')
    renameSync(join(inner, 'dir'), join(inner, 'was'))
    symlinkSync('..', join(inner, 'dir'))
    expect(await run()).toMatchObject({
      stdout: 'of the script',
      stderr: expect.stringContaining('.toolrc: No such'),
    })
  })

  it('starts no tool where a protected folder was exchanged for a link', async () => {
    const { inner, run } = await swapped('read')
    expect((await run()).exitCode).toBe(0)
    renameSync(join(inner, 'kept'), join(inner, 'was'))
    symlinkSync('../.ssh', join(inner, 'kept'))
    await expect(run()).rejects.toThrow('the workspace changed')
  })
})

describe('the environment', () => {
  const caller = {
    GITHUB_TOKEN: 'ghp_secret',
    LD_PRELOAD: '/evil.so',
    AWS_PROFILE: 'ops',
    TZ: 'UTC',
    LANG: 'C',
  }

  it('of a tool holds nothing of the caller that nobody named', async () => {
    bench.tool('teller', ENV)
    const environment = { ...caller, PATH: `${bench.bin}:/usr/bin` }
    const said = await call(await bench.open({ teller: {} }, { environment }), 'teller')
    const [own = '', init = ''] = said.stdout.split('---\n')
    const expected = [
      `HOME=${bench.home}`,
      'LANG=C',
      `PATH=/run/srecodex/helpers:${bench.bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
      `PWD=/tmp`,
      'TMPDIR=/tmp',
      'TZ=UTC',
    ]
    expect(own.trim().split('\n').sort()).toEqual(expected)
    expect(init).not.toContain('ghp_secret')
    const named = await bench.open({ teller: { env: ['GITHUB_TOKEN'] } }, { environment })
    expect((await call(named, 'teller')).stdout).toContain('GITHUB_TOKEN=ghp_secret\n')
  })

  it('of aws and kubectl turns off what would act by itself', async () => {
    for (const name of ['aws', 'kubectl']) bench.tool(name, ENV)
    const environment = { ...caller, PATH: bench.bin, AWS_CONFIG_FILE: '/nowhere/config' }
    const programs = await bench.open({}, { environment })
    const aws = (await call(programs, 'aws')).stdout.split('\n')
    expect(aws).toEqual(
      expect.arrayContaining([
        'AWS_PAGER=',
        'AWS_EC2_METADATA_DISABLED=true',
        'AWS_PROFILE=ops',
        'AWS_CONFIG_FILE=/nowhere/config',
        `AWS_SHARED_CREDENTIALS_FILE=${bench.home}/.aws/credentials`,
      ]),
    )
    const kubectl = (await call(programs, 'kubectl')).stdout.split('\n')
    expect(kubectl).toEqual(
      expect.arrayContaining([
        'KUBECTL_KUBERC=false',
        'KUBERC=off',
        'KUBECONFIG=/run/srecodex/kubeconfig',
        'PATH=/run/srecodex/helpers',
      ]),
    )
    expect(kubectl).not.toContain('AWS_PROFILE=ops')
  })
})

describe('kubectl', () => {
  const KUBECONFIG = (server: string, user: string): string =>
    `current-context: c\ncontexts: [{ name: c, context: { cluster: k, user: u } }]\nclusters: [{ name: k, cluster: { server: "${server}" } }]\nusers: [{ name: u, user: ${user} }]\n`

  it('keeps its server for the run, though the file is changed meanwhile', async () => {
    bench.write('home/.kube/config', KUBECONFIG('https://one', '{ token: t }'))
    bench.tool(
      'kubectl',
      `${SH}cat $KUBECONFIG; cat ${bench.home}/.kube/config 2>&1\n`.replaceAll('cat', '/bin/cat'),
    )
    const programs = await bench.open()
    expect((await call(programs, 'kubectl')).stdout).toContain('"server":"https://one"')
    bench.write('home/.kube/config', KUBECONFIG('https://evil', '{ token: t }'))
    const said = await call(programs, 'kubectl')
    expect(said.stdout).toContain('"server":"https://one"')
    expect(said.stdout).not.toContain('evil')
    expect(said.stdout).toContain('.kube/config: No such file')
    expect((await call(await bench.open(), 'kubectl')).stdout).toContain('"server":"https://evil"')
  })

  it('starts no program that the kubeconfig names and the operator did not', async () => {
    const login = bench.write('elsewhere/gke-login', `${SH}echo '{"token":1}'\n`, 0o755)
    bench.write('home/.kube/config', KUBECONFIG('https://one', `{ exec: { command: ${login} } }`))
    // what kubectl does with a plug-in, and what it would do with one on PATH
    bench.tool('kubectl', `${SH}/bin/grep -o '"command":"[^"]*"' $KUBECONFIG; kubectl-evil; gke-login\n`)
    bench.write('bin/kubectl-evil', `${SH}echo evil\n`, 0o755)
    await expect(call(await bench.open(), 'kubectl')).rejects.toMatchObject({
      code: 'REFUSED',
      hint: 'if it may: [tools.kubectl] helpers = ["gke-login"]',
    })
    const programs = await bench.open({ kubectl: { helpers: [login] } })
    const said = await call(programs, 'kubectl')
    expect(said.stdout).toBe('"command":"/run/srecodex/helpers/gke-login"\n{"token":1}\n')
    expect(said.stderr).toContain('kubectl-evil: not found')
  })

  it('has a cache for each server and identity, out of the way of every other tool', async () => {
    bench.tool('kubectl', `${SH}cd ~/.kube/cache && /bin/ls; echo "$1" > "$1"\n`)
    bench.write('home/.kube/config', KUBECONFIG('https://one', '{ token: t }'))
    const first = await bench.open()
    await call(first, 'kubectl', ['a'])
    expect((await call(first, 'kubectl', ['b'])).stdout).toBe('a\n')
    bench.write('home/.kube/config', KUBECONFIG('https://two', '{ token: t }'))
    expect((await call(await bench.open(), 'kubectl', ['c'])).stdout).toBe('')
  })
})

describe('the machine', () => {
  it('shows a program that brings all it needs no other program, unless it is named', async () => {
    const program = bench.write('bin/launcher', '', 0o755)
    writeFileSync(program, staticProgram())
    chmodSync(program, 0o755)
    const words = ['/bin/sh', '-c', 'echo started']
    const alone = await call(await bench.open({ launcher: {} }), 'launcher', words)
    expect(alone).toMatchObject({ exitCode: 2, stdout: '' }) // ENOENT
    const helped = await call(await bench.open({ launcher: { helpers: ['sh'] } }), 'launcher', words)
    expect(helped).toMatchObject({ exitCode: 0, stdout: 'started\n' })
  })

  it('shows no process of the host, no right, no terminal', async () => {
    bench.tool(
      'prober',
      `${SH}ls -d /proc/[0-9]* | wc -l; grep -E 'NoNewPrivs|CapEff|CapPrm' /proc/self/status; kill -0 ${process.pid} 2>&1; cat < /dev/tty 2>&1; echo x > /proc/sys/kernel/core_pattern\n`,
    )
    const { stdout, stderr } = await call(await bench.open({ prober: {} }), 'prober')
    expect(Number.parseInt(stdout, 10)).toBeLessThan(6)
    expect(stdout).toContain('CapEff:\t0000000000000000')
    expect(stdout).toContain('CapPrm:\t0000000000000000')
    expect(stdout).toContain('NoNewPrivs:\t1')
    expect(stdout).toMatch(/No such process/i)
    expect(stdout + stderr).toMatch(/\/dev\/tty/)
    expect(stderr).toContain('Read-only file system')
  })

  it('shows no socket that was not given, and the network of the host', async () => {
    mkdirSync(join(bench.home, '.run'))
    const socket = join(bench.home, '.run/agent.sock')
    const local = createServer(connection => connection.end('agent\n')).listen(socket)
    const web = createServer(connection => connection.end('web\n')).listen(0, '127.0.0.1')
    await Promise.all([once(local, 'listening'), once(web, 'listening')])
    const { port } = web.address() as { port: number }
    bench.tool(
      'dialer',
      `#!/usr/bin/perl\nuse Socket; my ($where) = @ARGV;\nmy $unix = $where =~ m{^/};\nsocket(S, $unix ? AF_UNIX : AF_INET, SOCK_STREAM, 0);\nconnect(S, $unix ? pack_sockaddr_un($where) : pack_sockaddr_in($where, inet_aton('127.0.0.1'))) or die "cannot: $!\\n";\nprint <S>;\n`,
    )
    try {
      const programs = await bench.open({ dialer: {} })
      expect((await call(programs, 'dialer', [String(port)])).stdout).toBe('web\n')
      expect((await call(programs, 'dialer', [socket])).stderr).toBe('cannot: No such file or directory\n')
      const given = await bench.open({ dialer: { credentials: [socket] } })
      expect((await call(given, 'dialer', [socket])).stdout).toBe('agent\n')
    } finally {
      local.close()
      web.close()
    }
  })
})

describe('srecodex itself', () => {
  const task = (tool: string, argv: readonly string[] = []): string =>
    JSON.stringify({ options: bench.options({ tools: {} }), tool, argv })

  it('hands no descriptor on that it was itself started with', () => {
    const secret = bench.write('secret', 'open sesame')
    bench.tool('kubectl', `${SH}/bin/ls /proc/self/fd\n`)
    const started = (opening: string) =>
      spawnSync(
        '/bin/bash',
        ['-c', `${opening} exec "$@"`, 'bash', process.execPath, DRIVER, task('kubectl')],
        {
          encoding: 'utf8',
        },
      )
    const plain = started('')
    const leaky = started(`exec 7<${secret} 30<${secret} 241<${secret};`)
    expect(plain.stderr).toBe('')
    expect(leaky.stdout).toBe(plain.stdout)
    expect(leaky.stdout).toBe('0\n1\n2\n3\n') // 3: the listing's own
    // the control: a child of a process that does not look has it
    const shown = spawnSync('/bin/bash', [
      '-c',
      `exec 241<${secret}; exec "$@"`,
      'bash',
      process.execPath,
      '-e',
      `console.log(require('child_process').spawnSync('/bin/ls', ['/proc/self/fd']).stdout.toString())`,
    ])
    expect(shown.stdout.toString().split('\n')).toContain('241')
  })

  it('takes its tools with it when it is killed', async () => {
    const mark = `orphan-${process.pid}-${Date.now()}`
    bench.tool(
      'kubectl',
      `#!/usr/bin/perl\n$0 = '${mark}'; if (!fork) { setpgrp; sleep 60 while 1 } $| = 1; print "up\\n"; sleep 60 while 1;\n`,
    )
    const child = spawn(process.execPath, [DRIVER, task('kubectl')], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    expect(processesWith(mark).length).toBe(2)
    child.kill('SIGKILL')
    await once(child, 'close')
    await expect.poll(() => processesWith(mark), { timeout: 10_000 }).toEqual([])
  })
})
