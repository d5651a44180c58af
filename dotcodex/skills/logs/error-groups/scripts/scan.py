"""Reads log files in spans, and counts their errors by type. Memory stays flat, however long a file is.

Bytes first: a plain search finds the words that levels are made of, and only the lines around them are looked at. A
record belongs to the span in which its first line begins; what a span needs of the next one it reads past its end.
"""

import os
import zlib

from records import HEAD, TIMELESS_HEAD, Reader, Types, template

SPAN = 8 << 20
TAIL = 256 << 10  # how far past a span a trace is followed
SAMPLES = 3
SAMPLE_CHARS = 4000
MAX_TYPES = 5000
OTHER = "(more types than are told apart)"
LINE = 4 << 20  # what of a line is looked at
KLOG_NEEDLES = [(b"\nE", None), (b"\nF", None)]


class Part:
    """What one span, or all of them, came to."""

    def __init__(self):
        self.bytes = self.lines = self.errors = self.broken = 0
        self.truncated = None
        self.groups = {}

    def add(self, kind, when, message, trace):
        self.errors += 1
        group = self.groups.get(kind)
        if group is None:
            if len(self.groups) >= MAX_TYPES:
                kind = OTHER
                group = self.groups.get(kind)
            if group is None:
                group = self.groups[kind] = {"count": 0, "first": when, "last": when, "template": template(message, kind), "samples": []}
        group["count"] += 1
        if when is not None:
            group["first"] = when if group["first"] is None else min(group["first"], when)
            group["last"] = when if group["last"] is None else max(group["last"], when)
        if len(group["samples"]) < SAMPLES:
            group["samples"].append({"time": when, "message": message[:SAMPLE_CHARS], "trace": trace[:SAMPLE_CHARS]})

    def merge(self, other):
        for name in ("bytes", "lines", "errors", "broken"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for kind, new in other.groups.items():
            if kind not in self.groups and len(self.groups) >= MAX_TYPES:
                kind = OTHER
            group = self.groups.setdefault(kind, new)
            if group is new:
                continue
            group["count"] += new["count"]
            times = [one for one in (group["first"], group["last"], new["first"], new["last"]) if one is not None]
            group["first"], group["last"] = (min(times), max(times)) if times else (None, None)
            group["samples"] = (group["samples"] + new["samples"])[:SAMPLES]


class Scan:
    """What is looked for, the same for each span."""

    def __init__(self, levels, form="auto", since=None, until=None, match=None):
        self.levels = levels
        self.form = form
        self.since = since
        self.until = until
        self.match = match
        self.needles = levels.needles()

    def span(self, task):
        """One span of a plain file, or the whole of a gzip file."""
        file, start, end = task
        part = Part()
        reader = Reader(self.levels, self.form, file["year"], file["timeless"])
        types = Types()
        if file["gzip"]:
            for data, stop in windows(file["path"], part):
                self.block(data, stop, file, reader, types, part)
            part.bytes = file["size"]
        else:
            with open(file["path"], "rb", buffering=0) as log:
                # One byte early, so that each line that begins here has its newline in front.
                log.seek(max(start - 1, 0))
                wanted = min(end + TAIL, file["size"]) - max(start - 1, 0)
                data = (b"\n" if start == 0 else b"") + fully(log, wanted)
            self.block(data, end - start + 1, file, reader, types, part)
            part.bytes = end - start
        part.broken = reader.broken
        return part

    def block(self, data, stop, file, reader, types, part):
        """The records whose line begins before `stop`; data begins with the newline before the first of them."""
        # As many lines as begin here.
        part.lines += newlines(data) - data.count(b"\n", stop - 1)
        head = TIMELESS_HEAD if file["timeless"] else HEAD
        word, calm = self.levels.word, self.levels.calm.match
        find, rfind = data.find, data.rfind
        seen = set()
        needles = self.needles + (KLOG_NEEDLES if file["klog"] else [])
        for needle, back in needles:
            step = len(needle)
            hit = find(needle)
            while hit >= 0:
                if back is not None and word.match(data, hit - back) is None:
                    hit = find(needle, hit + step)
                    continue
                line = rfind(b"\n", 0, hit + 1) + 1
                if line >= stop:
                    break
                eol = find(b"\n", max(hit + 1, line))
                eol = len(data) if eol < 0 else eol
                # Without a newline in front it belongs to the span before.
                if line > 0 and line not in seen and calm(data, line) is None:
                    seen.add(line)
                    error = reader.read(data[line : min(eol, line + LINE)])
                    if error:
                        self.found(error, data, eol, head, types, part)
                hit = find(needle, eol)

    def found(self, error, data, eol, head, types, part):
        when, message, stack, _level = error
        if when is not None and ((self.since and when < self.since) or (self.until and when > self.until)):
            return
        if when is None and (self.since or self.until):
            return
        if self.match is not None and self.match not in message:
            return
        following = data[eol + 1 : eol + 2]
        trace = ""
        # A record that follows at once is the usual case, and easy to tell.
        if following and head.match(data, eol) is None:
            next_head = head.search(data, eol, eol + TAIL)
            trace = data[eol : next_head.start() if next_head else eol + TAIL].decode("utf-8", "replace").strip()
        part.add(types.of(message, stack or trace), when, message, stack or trace)


def newlines(data):
    """As `count`, in a third of its time: `count` looks at each byte, `replace` at each newline."""
    return len(data) - len(data.replace(b"\n", b""))


def fully(log, size):
    pieces = []
    while size > 0:
        piece = log.read(size)
        if not piece:
            break
        pieces.append(piece)
        size -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def inflated(path, part):
    """The text of a gzip file in pieces, as far as it goes."""
    with open(path, "rb") as file:
        stream = zlib.decompressobj(31)
        raw = b""
        try:
            while True:
                raw = raw or file.read(1 << 20)
                if not raw:
                    break
                piece = stream.decompress(raw, SPAN)
                raw = stream.unconsumed_tail
                if stream.eof:
                    # Files that were put one behind the other are one file.
                    raw = stream.unused_data.lstrip(b"\0") or file.read(1 << 20)
                    if raw:
                        stream = zlib.decompressobj(31)
                if piece:
                    yield piece
            if not stream.eof:
                part.truncated = "it ends in the middle of the compressed stream"
        except zlib.error as error:
            part.truncated = "damaged: %s" % error


def windows(path, part):
    """Stretches of a stream as `block` wants them, each with enough of what comes after it."""
    data = b"\n"
    for piece in inflated(path, part):
        data += piece
        if len(data) < SPAN + 2 * TAIL:
            continue
        cut = data.rfind(b"\n", 0, len(data) - TAIL)
        if cut <= 0:
            continue
        yield data, cut + 1
        data = data[cut:]
    if len(data) > 1:
        yield data, len(data)


def read_start(file, size):
    """The first bytes of the text."""
    if not file["gzip"]:
        with open(file["path"], "rb") as log:
            return log.read(size)
    text = b""
    for piece in inflated(file["path"], Part()):
        text += piece
        if len(text) >= size:
            break
    return text[:size]


def read_end(file, size):
    if not file["gzip"]:
        with open(file["path"], "rb") as log:
            log.seek(max(0, file["size"] - size))
            return log.read(size)
    text = b""
    for piece in inflated(file["path"], Part()):
        text = (text + piece)[-size:]
    return text


def spans(files):
    for file in files:
        if file["gzip"]:
            yield file, 0, file["size"]
        else:
            for start in range(0, file["size"], SPAN):
                yield file, start, min(start + SPAN, file["size"])


def workers(tasks):
    if len(tasks) < 2:
        return 1
    return max(1, min(len(tasks), len(os.sched_getaffinity(0)), 8))
