/**
 * What a payload reads and writes: its inputs are a file, its stdout and stderr are pipes.
 *
 * Those that Node makes itself are sockets: there `/dev/stdin` and `> /dev/stderr` fail, and Bash takes itself for
 * the shell of a remote login and reads a profile.
 */
'use strict'

/**
 * @returns `theirs`: the descriptors for the child, to be closed by `release` once it is started. `stdout` and
 *   `stderr` end when nobody holds the other side.
 */
function openStreams(inputs) {
  const { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync } = require('node:fs')
  const { Socket } = require('node:net')
  const path = require('node:path')
  const folder = mkdtempSync(path.join(require('node:os').tmpdir(), 'srecodex-'))
  const descriptors = []
  const open = (name, flags) => {
    descriptors.push(openSync(path.join(folder, name), flags))
    return descriptors.at(-1)
  }
  try {
    writeFileSync(path.join(folder, 'inputs'), inputs, { mode: 0o600 })
    const pipes = [path.join(folder, 'stdout'), path.join(folder, 'stderr')]
    require('node:child_process').execFileSync('mkfifo', ['-m', '600', ...pipes], { stdio: 'pipe' })
    // The reading side first: a side that writes would wait for it.
    const ours = ['stdout', 'stderr'].map(name => open(name, constants.O_RDONLY | constants.O_NONBLOCK))
    const theirs = [open('inputs', 'r'), open('stdout', 'w'), open('stderr', 'w')]
    const [stdout, stderr] = ours.map(fd => new Socket({ fd, readable: true, writable: false }))
    return { theirs, stdout, stderr, release: () => theirs.splice(0).forEach(fd => closeSync(fd)) }
  } catch (error) {
    for (const fd of descriptors) closeSync(fd)
    throw error
  } finally {
    // What is open stays usable without a name.
    rmSync(folder, { recursive: true })
  }
}

module.exports = { openStreams }
