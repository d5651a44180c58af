"""Runs a command in a terminal of its own and hands on every byte; types what a person would, when told."""

import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios

request = json.loads(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", request["rows"], request["columns"], 0, 0))
    os.execvp(request["command"][0], request["command"])

waiting = list(request["keys"].items())
seen = b""
while True:
    select.select([terminal], [], [])
    try:
        read = os.read(terminal, 65536)
    except OSError:
        break
    if not read:
        break
    seen += read
    sys.stdout.buffer.write(read)
    sys.stdout.buffer.flush()
    if waiting and waiting[0][0].encode() in seen:
        os.write(terminal, waiting.pop(0)[1].encode())
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.exit(status if status >= 0 else 128 - status)
