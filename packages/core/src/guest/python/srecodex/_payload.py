"""A skill's payload: a program that takes one JSON object on stdin and gives one on stdout."""

import json
import os
import selectors
import signal
import subprocess
import time

from . import SkillError, SrecodexError, _item, _params, _part
from ._results import _ended, _last_line

_MAX_STDOUT_BYTES = 64 * 1024 * 1024
_KEPT_STDERR_BYTES = 4096
_PIECE = 65536
_GRACE_SECONDS = 0.1


# Those that run now. They are groups of their own, so an interrupt of this process does not reach them by itself.
_running: set = set()


def interrupt() -> None:
    """Passes an interrupt on to every payload that runs."""
    for payload in list(_running):
        payload.stop(signal.SIGINT)


class Payload:
    """One run of one skill. `stop` ends it from another thread."""

    def __init__(self, id: str, inputs: str) -> None:
        self._id = id
        self._inputs = inputs
        self._process = None
        self._stopped = False

    def run(self) -> dict:
        try:
            params = '%s,"inputs":%s}' % (_params(id=self._id, item=_item.current())[:-1], self._inputs)
            answer = _part("_channel").call("skill", params)
        except SrecodexError as error:
            if error.code in ("SKILL_UNKNOWN", "SKILL_INPUTS", "REFUSED"):
                raise SkillError(error.code, error.message, error.hint) from None
            raise
        timeout_ms = answer.get("timeoutMs")
        try:
            # A group of its own: on a timeout all that it started ends with it.
            process = self._process = subprocess.Popen(
                answer["command"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self._environment(answer["prefix"]),
                start_new_session=True,
            )
        except OSError as error:
            raise SkillError("SKILL_FAILED", "skill %s cannot be started: %s" % (self._id, error)) from None
        _running.add(self)
        try:
            if self._stopped:
                self.stop()
            stdout, stderr = self._exchange(process, None if timeout_ms is None else timeout_ms / 1000)
        except BaseException:
            self._interrupt(process)
            raise
        finally:
            _running.discard(self)
            for pipe in (process.stdin, process.stdout, process.stderr):
                pipe.close()
        return self._result(process.returncode, stdout, stderr)

    def stop(self, number: int = signal.SIGKILL) -> None:
        self._stopped = True
        process = self._process
        if process is not None and process.returncode is None:
            _kill(process, number)

    def _environment(self, prefix: str) -> dict:
        environment = dict(os.environ)
        environment["SRECODEX_PREFIX"] = prefix
        item = _item.current()
        if item is not None:
            environment[_item.VARIABLE] = item
        return environment

    def _exchange(self, process, timeout) -> "tuple[bytes, bytes]":
        """Feeds it, hears it and passes its stderr on, until it has ended."""
        deadline = None if timeout is None else time.monotonic() + timeout
        inputs = memoryview(self._inputs.encode("utf-8"))
        stdout, heard, stderr = [], 0, b""
        os.set_blocking(process.stdin.fileno(), False)
        with selectors.DefaultSelector() as pipes:
            pipes.register(process.stdin, selectors.EVENT_WRITE)
            pipes.register(process.stdout, selectors.EVENT_READ)
            pipes.register(process.stderr, selectors.EVENT_READ)
            while process.stdout in pipes.get_map() or process.stderr in pipes.get_map():
                if deadline is not None and time.monotonic() > deadline:
                    self._time_out(process, timeout)
                ready = pipes.select(_GRACE_SECONDS)
                # What it left in the background may hold the pipes for ever.
                if not ready and process.poll() is not None:
                    break
                for key, _events in ready:
                    pipe = key.fileobj
                    if pipe is process.stdin:
                        try:
                            inputs = inputs[os.write(pipe.fileno(), inputs[:_PIECE]) :]
                        except BlockingIOError:
                            continue
                        except BrokenPipeError:
                            inputs = inputs[:0]
                        if not inputs:
                            pipes.unregister(pipe)
                            pipe.close()
                        continue
                    piece = os.read(pipe.fileno(), _PIECE)
                    if not piece:
                        pipes.unregister(pipe)
                    elif pipe is process.stderr:
                        stderr = (stderr + piece)[-_KEPT_STDERR_BYTES:]
                        _pass_on(piece)
                    else:
                        stdout.append(piece)
                        heard += len(piece)
                        if heard > _MAX_STDOUT_BYTES:
                            raise SkillError("SKILL_OUTPUT", "skill %s printed more than 64 MiB" % self._id)
        try:
            process.wait(None if deadline is None else max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._time_out(process, timeout)
        return b"".join(stdout), stderr

    def _time_out(self, process, timeout) -> None:
        _kill(process, signal.SIGKILL)
        raise SkillError(
            "SKILL_TIMED_OUT",
            "skill %s took longer than %g s" % (self._id, timeout),
            "`timeout` in its SKILL.md grants more",
        )

    def _interrupt(self, process) -> None:
        """As a terminal would: what it started hears of it too, and gets a moment."""
        if process.poll() is None:
            _kill(process, signal.SIGINT)
            try:
                process.wait(0.5)
            except subprocess.TimeoutExpired:
                pass
        _kill(process, signal.SIGKILL)
        process.wait()

    def _result(self, status: int, stdout: bytes, stderr: bytes) -> dict:
        if status != 0:
            last = _last_line(stderr)
            how = _ended(status)
            how = "exit code %s" % how[5:] if how.startswith("exit ") else how
            raise SkillError("SKILL_FAILED", "skill %s ended with %s%s" % (self._id, how, last and ": " + last))
        try:
            result = json.loads(stdout)
        except (ValueError, RecursionError):
            result = None
        if isinstance(result, dict):
            return result
        text = stdout.decode("utf-8", "replace").strip()
        shown = "nothing" if not text else repr(text if len(text) <= 200 else text[:199] + "…")
        raise SkillError(
            "SKILL_OUTPUT",
            "skill %s printed %s, and not one JSON object" % (self._id, shown),
            "a payload prints its result on stdout and everything else on stderr",
        )


def _pass_on(piece: bytes) -> None:
    try:
        while piece:
            piece = piece[os.write(2, piece) :]
    except OSError:
        pass  # nobody listens


def _kill(process, number: int) -> None:
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        pass
