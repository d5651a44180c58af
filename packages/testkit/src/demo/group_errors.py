#!/usr/bin/env python3
"""Group the errors of a log by type. Usage: group_errors.py LOG

The log mixes three formats: `TIME LEVEL [service] text`, JSON and logfmt; a stack trace follows its line.
An error is a line whose own level says so. A line that quotes one, or only mentions the word, is none.

Bytes first: a plain search finds the few lines that may be errors, expressions look at those alone. The
file is read in spans by a process per core, so memory stays flat however long it is.
"""

import json
import os
import re
import sys
from multiprocessing import Pool

from srecodex import artifact, progress, summary

SPAN = 8 << 20  # bytes that a worker takes at once
TAIL = 256 << 10  # how far past its span a worker reads, for a trace that crosses the border
SAMPLES = 3  # of each type
LIMIT = 1200  # characters of the summary

HEAD = re.compile(rb"\n(?=\d{4}-\d\d-\d\dT|ts=|\{)")  # where the next record begins
PLAIN = re.compile(rb"(\d{4}-\d\d-\d\dT\S+) ERROR +\[[^\]]*\] (?:req=\S+ |\[\S+\] \S+ : )?(.*)")
LOGFMT = re.compile(rb"ts=(\S+) level=error (.*)")
FIELD = re.compile(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))')

CLASS = re.compile(
    r"^(?:Caused by: )?(?:[\w$]+\.)*([\w$]+(?:Error|Exception)|(?<=\.)[A-Z][\w$]+)(?=:|$)", re.MULTILINE
)
STATUS = re.compile(r"\bHTTP [45]\d\d\b")
MASKS = [
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"\b\d+(?:\.\d+){3}(?::\d+)?\b"), "<ip>"),
    (re.compile(r"\b(?=\w*\d)[0-9a-f]{12,}\b"), "<id>"),
    (re.compile(r"\b\d+(?:\.\d+)? ?(?:us|ms|s)\b"), "<time>"),
    (re.compile(r"\d+"), "<n>"),
]


def read_plain(line):
    match = PLAIN.match(line)
    return match and (match[1].decode(), match[2].decode("utf-8", "replace"), "")


def read_json(line):
    try:
        record = json.loads(line)
    except ValueError:
        return None
    if not isinstance(record, dict) or record.get("level") != "error":
        return None  # the level of something nested or quoted
    message = ": ".join(str(record[key]) for key in ("msg", "error") if key in record)
    return str(record.get("ts", "?")), message, str(record.get("stack", ""))


def read_logfmt(line):
    match = LOGFMT.match(line)
    if not match:
        return None
    fields = {key: quoted or bare for key, quoted, bare in FIELD.findall(match[2].decode("utf-8", "replace"))}
    message = ": ".join(fields[key] for key in ("msg", "err") if key in fields)
    return match[1].decode(), message.replace('\\"', '"'), ""


FORMATS = [(b" ERROR [", read_plain), (b'"level":"error"', read_json), (b" level=error ", read_logfmt)]


def mask(text):
    for pattern, name in MASKS:
        text = pattern.sub(name, text)
    return text


def template(message, kind):
    return kind.join(mask(part) for part in message.split(kind))


def type_of(message, trace):
    """The last class that a trace names is the cause; else the status; else what follows the last colon."""
    classes = CLASS.findall(trace)
    if classes:
        return classes[-1]
    status = STATUS.search(message)
    return status[0] if status else mask(message.rpartition(": ")[2])[:60] or "no message"


def scan(span):
    """Lines and groups of the records that begin in this span of the file."""
    path, start, end = span
    with open(path, "rb", buffering=0) as log:
        # One byte early, so that each line that begins here has its newline in front.
        log.seek(max(start - 1, 0))
        data = (b"\n" if start == 0 else b"") + log.read(end - max(start - 1, 0) + TAIL)
    stop = end - start + 1
    groups = {}
    for marker, read in FORMATS:
        hit = data.find(marker)
        while 0 <= hit:
            line = data.rfind(b"\n", 0, hit) + 1
            if line >= stop:
                break
            eol = data.find(b"\n", hit)
            eol = len(data) if eol < 0 else eol
            error = line and read(data[line:eol])  # no newline in front: it belongs to the span before
            if error:
                head = HEAD.search(data, eol)
                trace = data[eol : head.start() if head else len(data)].decode("utf-8", "replace").strip()
                add(groups, *error, trace)
            hit = data.find(marker, eol)
    return end - start, data.count(b"\n", 0, stop - 1), groups


def add(groups, when, message, stack, trace):
    kind = type_of(message, stack or trace)
    group = groups.get(kind)
    if group is None:
        group = {"count": 0, "first": when, "last": when, "template": template(message, kind), "samples": []}
        groups[kind] = group
    group["count"] += 1
    group["first"] = min(group["first"], when)
    group["last"] = max(group["last"], when)
    if len(group["samples"]) < SAMPLES:
        group["samples"].append({"time": when, "message": message[:2000], "trace": (stack or trace)[:2000]})


def merge(groups, part):
    for kind, new in part.items():
        group = groups.setdefault(kind, new)
        if group is not new:
            group["count"] += new["count"]
            group["first"] = min(group["first"], new["first"])
            group["last"] = max(group["last"], new["last"])
            group["samples"] = (group["samples"] + new["samples"])[:SAMPLES]


def table(title, ranked, width, rows):
    """The groups as text, their templates cut at `width` characters."""
    days = {group[end][:10] for _, group in ranked for end in ("first", "last")}
    clock = slice(11, 16) if len(days) == 1 else slice(5, 16)  # 03:12, or 11-21T03:12
    cells = [("count", "type", "first", "last", "message")]
    for kind, group in ranked[:rows]:
        text = group["template"].replace(kind, "…").removesuffix(": …")
        text = text if len(text) <= width else text[: width - 1].rstrip() + "…"
        cells.append((f"{group['count']:,}", kind, group["first"][clock], group["last"][clock], text))
    if rows < len(ranked):
        rest = sum(group["count"] for _, group in ranked[rows:])
        cells.append((f"{rest:,}", f"in {len(ranked) - rows} more types", "", "", ""))
    widths = [max(map(len, column)) for column in zip(*cells)]
    lines = []
    for count, *rest in cells:
        padded = [count.rjust(widths[0]), *(cell.ljust(width) for cell, width in zip(rest, widths[1:]))]
        lines.append("  ".join(padded).rstrip())
    return "\n".join([title, "", *lines])


def fit(title, ranked):
    """Messages give way first, then rows: a count says more than a message."""
    rows, width = min(len(ranked), 40), 60
    while rows > 1 and len(table(title, ranked, 16, rows)) > LIMIT:
        rows -= 1
    while width > 16 and len(table(title, ranked, width, rows)) > LIMIT:
        width -= 1
    return table(title, ranked, width, rows)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.splitlines()[0])
    path = sys.argv[1]
    size = os.path.getsize(path)
    spans = [(path, start, min(start + SPAN, size)) for start in range(0, size, SPAN)]
    lines, done, errors, groups = 0, 0, 0, {}
    with Pool(min(4, os.cpu_count() or 1)) as pool:
        for number, (read, newlines, part) in enumerate(pool.imap(scan, spans), 1):
            done += read
            lines += newlines
            errors += sum(group["count"] for group in part.values())
            merge(groups, part)
            if number * 20 // len(spans) > (number - 1) * 20 // len(spans):
                note = f"MB, {errors:,} errors in {lines:,} lines"
                progress(round(done / 1e6, 1), round(size / 1e6, 1), note)

    ranked = sorted(groups.items(), key=lambda item: (-item[1]["count"], item[0]))
    with open(artifact("samples.jsonl"), "w", encoding="utf-8") as file:
        for kind, group in ranked:
            file.write(json.dumps({"type": kind, **group}, ensure_ascii=False) + "\n")

    title = f"{os.path.basename(path)}: {lines:,} lines, {errors:,} errors of {len(ranked)} types"
    summary(fit(f"{title} (samples of each: samples.jsonl)", ranked) if ranked else title)


if __name__ == "__main__":
    main()
