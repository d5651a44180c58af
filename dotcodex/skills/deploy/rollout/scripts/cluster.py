"""kubectl as a function: words in, objects out, and an error that says what kind of no it was.

A skill's folder is installed by itself, so each Python skill that needs this carries it; a test keeps the copies equal.
"""

import json
import os
import re
import subprocess
import sys
import time

from srecodex import SrecodexError, once

NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?\Z")
PLANNING = os.environ.get("SRECODEX_PHASE") == "plan"
PIECE_CHARS = 100_000
REQUEST_SECONDS = 60
READ_PAUSES = (0.5, 2)
CHANGE_PAUSES = (1.1, 2.2, 4.4)
IN_SANDBOX = bool(os.environ.get("SRECODEX_SOCKET"))

# What the server, or kubectl before it asked, says no to: nothing was changed.
DEFINITE = (
    ("skipped", r"^error\[SKIPPED\]"),
    ("refused", r"^error\["),
    ("forbidden", r"\(Forbidden\)| is forbidden: "),
    ("not found", r"\(NotFound\)|\" not found|unable to find specified revision"),
    ("throttled", r"TooManyRequests|[Tt]oo many requests"),
    ("conflict", r"\(Conflict\)|object has been modified|within the past second"),
    ("expired login", r"must be logged in|\(Unauthorized\)"),
    ("invalid", r"\((?:Invalid|BadRequest)\)| is invalid: |admission webhook \".*\" denied|unable to find container"),
)
# Worth a second question, where it was only a question.
PASSING = re.compile(
    r"timed? ?out|deadline exceeded|connection (?:refused|reset)|\bEOF\b|client connection lost"
    r"|\((?:InternalError|ServiceUnavailable|ServerTimeout|Timeout)\)|unable to return a response"
)


def log(words):
    print(words, file=sys.stderr, flush=True)


def fail(words):
    log("error: %s" % words)
    sys.exit(1)


class KubectlError(Exception):
    """`kind` is None where nobody said no: an answer may have been lost after the change."""

    def __init__(self, stderr, code, stdout=""):
        lines = [line for line in stderr.strip().split("\n") if line.strip()]
        # kubectl's last word, but the first line of what the broker refuses: the rest is its hint.
        self.words = (lines[0] if lines[0].startswith("error[") else lines[-1]) if lines else "exit %d" % code
        self.kind = next((kind for kind, sign in DEFINITE if re.search(sign, stderr, re.M)), None)
        self.passing = self.kind == "throttled" or (self.kind is None and bool(PASSING.search(stderr)))
        self.stdout = stdout
        super().__init__(self.words)

    def failure(self):
        return SrecodexError(self.kind or "kubectl failed", self.words)


def kubectl(*args):
    done = subprocess.run(
        ["kubectl", *args],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode != 0:
        raise KubectlError(done.stderr, done.returncode, done.stdout)
    return done.stdout


def ask(*args):
    """A read: asked again where it may do better."""
    for pause in (*READ_PAUSES, None):
        try:
            return kubectl(*args, "--request-timeout=%ds" % REQUEST_SECONDS)
        except KubectlError as error:
            if not error.passing or pause is None:
                raise
            log("kubectl %s: %s; again in %s s" % (args[0], error.words, pause))
            time.sleep(pause)


def change(*args):
    """A mutation: asked again only where the server said that it did nothing.

    In a sandbox the host repeats what is throttled, and nothing is lost by asking once more.
    """
    for pause in (*CHANGE_PAUSES, None):
        try:
            return kubectl(*args)
        except KubectlError as error:
            if error.kind not in ("throttled", "conflict") or pause is None:
                raise
            log("kubectl %s: %s; again in %s s" % (args[0], error.words, pause))
            time.sleep(pause)


def listed(*args):
    """Objects of a `get`: none, one, or all of a list, which kubectl reads page by page."""
    text = ask("get", *args, "--output=json")
    if not text.strip():
        return []
    found = json.loads(text)
    return found["items"] if found.get("kind", "").endswith("List") else [found]


def decided(name, make):
    """`once` for JSON that may be longer than one decision can be."""
    made = []

    def piece(index):
        if not made:
            text = json.dumps(make(), separators=(",", ":"))
            made.extend(text[start : start + PIECE_CHARS] for start in range(0, len(text), PIECE_CHARS))
        return made[index]

    first = once(name, lambda: {"text": piece(0), "pieces": len(made)})
    rest = [once("%s/%d" % (name, index), lambda i=index: piece(i)) for index in range(1, first["pieces"])]
    return json.loads(first["text"] + "".join(rest))


def controller_of(thing):
    owners = thing["metadata"].get("ownerReferences") or []
    return next((owner for owner in owners if owner.get("controller")), None)


def some(words, count=3):
    words = list(words)
    return ", ".join(words[:count] + (["%d more" % (len(words) - count)] if len(words) > count else []))
