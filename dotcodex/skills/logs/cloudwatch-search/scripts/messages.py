"""Events grouped by what their messages have in common, in memory that does not grow with their number."""

import json
import re
import threading
from datetime import datetime, timezone

TYPE_CHARS = 160
KINDS_AT_MOST = 20_000
OTHERS = "(others)"

# What Lambda puts before a line of its own logger: time, request id, level.
LAMBDA = re.compile(
    r"^\d{4}-\d\d-\d\dT[\d:.]+Z?\s+[0-9a-f]{8}-[0-9a-f-]{27}\s+|^\[[A-Z]+\]\s+\d{4}-\S+Z?\s+[0-9a-f-]{36}\s+"
)
MASKS = (
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.I), "<uuid>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b"), "<ip>"),
    (re.compile(r"\b(?=[a-z]*\d)(?:0x)?[0-9a-f]{8,}\b", re.I), "<hex>"),
    (re.compile(r"(?<![\w<])\d+(?:\.\d+)?|\d{3,}"), "<n>"),
    (re.compile(r"\s+"), " "),
)
SAYS = ("message", "msg", "error", "errorMessage", "err", "log")


def iso(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def kind_of(message):
    text = said(message.strip())
    first = next((line for line in text.split("\n") if line.strip()), "")
    first = LAMBDA.sub("", first[:2000])
    for pattern, word in MASKS:
        first = pattern.sub(word, first)
    return first.strip()[:TYPE_CHARS] or "(empty)"


def said(text):
    """Of a JSON line, what it says, with the class of an error before it."""
    if not text.startswith("{"):
        return text
    try:
        found = json.loads(text)
    except ValueError:
        return text
    words = next((found[name] for name in SAYS if isinstance(found.get(name), str)), None)
    if words is None:
        return text
    kind = found.get("errorType")
    return "%s: %s" % (kind, words) if isinstance(kind, str) else words


class Groups:
    """Threads may add; every event is written to the file as it comes."""

    def __init__(self, file):
        self.file = file
        self.lock = threading.Lock()
        self.total = 0
        self.by_kind = {}

    def add(self, log_group, events):
        with self.lock:
            self.total += len(events)
            for at, message in events:
                self.file.write(json.dumps([log_group, at, message], ensure_ascii=False) + "\n")
                kind = kind_of(message)
                if kind not in self.by_kind and len(self.by_kind) >= KINDS_AT_MOST:
                    kind = OTHERS
                one = self.by_kind.setdefault(kind, {"count": 0, "first": at, "last": at, "log_groups": set()})
                one["count"] += 1
                one["first"] = min(one["first"], at)
                one["last"] = max(one["last"], at)
                one["log_groups"].add(log_group)

    def kinds(self):
        return len(self.by_kind)

    def top(self, most):
        order = sorted(self.by_kind.items(), key=lambda one: (-one[1]["count"], one[0]))[:most]
        return [
            {
                **{"type": kind, "count": one["count"], "first": iso(one["first"] / 1000)},
                **{"last": iso(one["last"] / 1000), "log_groups": sorted(one["log_groups"])},
            }
            for kind, one in order
        ]
