"""The AWS CLI: one call with all its pages, throttling waited out, errors with AWS's own code; and fewer at once."""

import json
import random
import re
import subprocess
import threading
import time

TRIES = 6
LONGEST_PAUSE_SECONDS = 20
# The CLI repeats what timed out by itself, so what hangs is known after a minute or two.
PATIENCE = ("--cli-connect-timeout=10", "--cli-read-timeout=20")
ENDED_AFTER_SECONDS = 300

CALLED = re.compile(
    r"An error occurred \(([\w.]+)\) when calling the \w+ operation(?: \([^)]*retries: \d+\))?: (.*)", re.S
)
LOGIN_HINT = "log in and try again: aws sso login"
# LimitExceeded: so many queries run already.
THROTTLED = re.compile(r"Throttl|RequestLimitExceeded|TooManyRequests|SlowDown|LimitExceededException")
LOGIN = re.compile(
    r"\((?:ExpiredToken\w*|RequestExpired|InvalidClientTokenId|UnrecognizedClientException)\)|[Tt]oken has expired"
    r"|SSO [Tt]oken|SSO session|Unable to locate credentials|Error when retrieving|credentials expired"
    r"|session has expired"
)


class AwsError(Exception):
    """`code` is AWS's own, or what went wrong on the way to it."""

    def __init__(self, code, words):
        super().__init__(code, words)
        self.code = code
        self.words = words

    def __str__(self):
        return "%s: %s" % (self.code, self.words)


def aws(*args):
    """What the CLI prints, as JSON; null where it prints nothing."""
    words = ["aws", *args, *PATIENCE, "--output=json"]
    for attempt in range(TRIES):
        try:
            return call(words)
        except AwsError as error:
            if not THROTTLED.search(error.code) or attempt == TRIES - 1:
                raise
            Paced.throttled()
        time.sleep(min(LONGEST_PAUSE_SECONDS, 2**attempt) * random.uniform(0.5, 1))


def call(words):
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            timeout=ENDED_AFTER_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise AwsError("timed out", "no answer in %d s" % ENDED_AFTER_SECONDS) from None
    except OSError as error:
        raise AwsError("aws cannot be started", str(error)) from None
    if done.returncode == 0:
        return json.loads(done.stdout) if done.stdout.strip() else None
    raise failure(done.stderr, done.returncode)


def failure(stderr, code):
    text = stderr.strip()
    told = CALLED.search(text)
    if LOGIN.search(text):
        return AwsError("expired login", plain(told.group(2) if told else text))
    if told:
        return AwsError(told.group(1), plain(told.group(2)))
    refused = re.search(r"^error\[(\w+)\]: (.*)", text, re.M)
    if refused:
        return AwsError(refused.group(1), refused.group(2))
    if re.search(r"[Tt]imeout on endpoint|timed out", text):
        return AwsError("timed out", plain(text))
    if re.search(r"Could not connect|Connection was closed", text):
        return AwsError("unreachable", plain(text))
    return AwsError("aws failed", plain(text) or "exit code %d" % code)


def plain(text):
    """The last line that says something, without an address's query."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    return lines[-1][:300] if lines else ""


class Paced:
    """So many at once; half of that after a throttled call, and slowly more again."""

    here = threading.local()

    def __init__(self, most):
        self.most = most
        self.limit = most
        self.running = 0
        self.calm = 0
        self.changed = threading.Condition()

    def call(self, fn):
        with self.changed:
            while self.running >= self.limit:
                self.changed.wait()
            self.running += 1
        Paced.here.pace = self
        try:
            return fn()
        finally:
            Paced.here.pace = None
            with self.changed:
                self.running -= 1
                self.calm += 1
                if self.calm >= 8 and self.limit < self.most:
                    self.limit, self.calm = self.limit + 1, 0
                self.changed.notify_all()

    @staticmethod
    def throttled():
        pace = getattr(Paced.here, "pace", None)
        if pace is not None:
            with pace.changed:
                pace.limit, pace.calm = max(1, pace.limit // 2), 0
