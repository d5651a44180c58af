#!/usr/bin/env python3
"""Groups the errors of log files by type: how many, since when, until when, and what their messages have in common.

Inputs as a JSON object on stdin, outputs as one on stdout (both as SKILL.md has them), the log on stderr. No line of a
log leaves it but for the samples in the artifact: messages are masked.
"""

import glob
import json
import multiprocessing
import os
import re
import sys
from collections import Counter
from datetime import datetime, timedelta, timezone

from srecodex import artifact, progress

sys.dont_write_bytecode = True

from records import HEAD, KLOG_LINE, STAMP, Levels, Reader, moment, stamp  # noqa: E402
from scan import Part, Scan, read_end, read_start, spans, workers  # noqa: E402

DEFAULT_LEVELS = ["ERROR", "FATAL", "CRITICAL", "PANIC"]
START = 256 << 10
END = 1 << 20
SUMMARY_CHARS = 1100
DURATION = re.compile(r"(\d+)\s*(s|m|h|d|w)\Z")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
CLOSED = "not there, or not open to scripts: srecodex run --read %s"


def log(words):
    print(words, file=sys.stderr, flush=True)


def fail(words):
    log("error: %s" % words)
    sys.exit(1)


# --- which files


def look_up(paths):
    """Files to read, by their real paths, and what cannot be read with the reason."""
    found, unreadable = {}, []
    for given in paths:
        matches = sorted(glob.glob(given, recursive=True)) if glob.has_magic(given) and not os.path.exists(given) else [given]
        if not matches:
            unreadable.append("%s: %s" % (given, CLOSED % (os.path.dirname(os.path.abspath(given.split("*")[0])))))
        for match in matches:
            for path in inside(match):
                real = os.path.realpath(path)
                if real in found:
                    continue
                try:
                    found[real] = described(path)
                except OSError as error:
                    why = CLOSED % path if isinstance(error, FileNotFoundError) else error.strerror
                    unreadable.append("%s: %s" % (path, why))
    return list(found.values()), unreadable


def inside(path):
    if not os.path.isdir(path):
        return [path]
    return sorted(os.path.join(folder, name) for folder, _folders, names in os.walk(path) for name in names)


def described(path):
    with open(path, "rb") as file:
        magic = file.read(2)
        status = os.fstat(file.fileno())
    if not os.path.isfile(path):
        raise OSError(0, "not a file")
    year = datetime.fromtimestamp(status.st_mtime, timezone.utc).year
    file = {"path": path, "size": status.st_size, "gzip": magic == b"\x1f\x8b", "year": year}
    text = read_start(file, START) if status.st_size else b""
    lines = text.split(b"\n")[:2000]
    stamped = any(STAMP.match(line) or line[:1] == b"{" or HEAD.match(b"\n" + line) for line in lines[:200])
    file["timeless"] = not stamped
    file["klog"] = any(KLOG_LINE.match(line) for line in lines[:200])
    file["start"] = lines
    return file


# --- since and until


def limit(inputs, name, files, levels):
    text = inputs.get(name)
    if text is None:
        return None
    found = DURATION.match(text.strip())
    if not found:
        when = moment(text.strip(), datetime.now(timezone.utc).year)
        if when is None and re.match(r"\d{4}-\d\d-\d\d\Z", text.strip()):
            when = text.strip() + "T00:00:00.000Z"
        if when is None:
            fail("%s: %r is neither a time such as 2026-11-21T22:30:00Z nor a duration such as 2h" % (name, text))
        return when
    end = last_moment(files, levels)
    if end is None:
        fail("%s: %r counts from the end of the log, and nothing in it has a time" % (name, text))
    moved = datetime.strptime(end[:23], "%Y-%m-%dT%H:%M:%S.%f").replace(tzinfo=timezone.utc)
    return stamp(moved - timedelta(seconds=int(found[1]) * SECONDS[found[2]]))


def last_moment(files, levels):
    times = []
    for file in files:
        reader = Reader(levels, "auto", file["year"], file["timeless"])
        for line in reversed(read_end(file, END).split(b"\n")):
            begun = reader.begins(line)
            if begun and begun[0]:
                times.append(begun[0])
                break
    return max(times, default=None)


# --- the whole


def scanned(scan, files):
    tasks = list(spans(files))
    total = sum(file["size"] for file in files)
    whole, truncated = Part(), []
    count = workers(tasks)
    if count == 1:
        parts = map(scan.span, tasks)
        pool = None
    else:
        pool = multiprocessing.get_context("fork").Pool(count)
        parts = pool.imap(scan.span, tasks)
    told = 0
    for task, part in zip(tasks, parts):
        if part.truncated:
            truncated.append("%s: %s" % (task[0]["path"], part.truncated))
        whole.merge(part)
        if total and whole.bytes * 20 // total > told:
            told = whole.bytes * 20 // total
            note = "MB, %s errors in %s lines" % (format(whole.errors, ","), format(whole.lines, ","))
            progress(round(whole.bytes / 1e6, 1), round(total / 1e6, 1), note)
    if pool:
        pool.close()
        pool.join()
    return whole, truncated


def occurring(files, levels):
    """Levels at the start of the files, so that a wrong format does not look like health."""
    seen = Counter()
    for file in files:
        reader = Reader(levels, "auto", file["year"], file["timeless"])
        for line in file["start"]:
            begun = reader.begins(line)
            if begun:
                seen[begun[1] or "no level"] += 1
    return ", ".join("%s %d" % one for one in seen.most_common(6)) or "no record that is known as one"


def table(title, ranked, width, rows):
    """The groups as text, their templates cut at `width` characters."""
    days = {group[end][:10] for _, group in ranked for end in ("first", "last") if group[end]}
    clock = slice(11, 16) if len(days) == 1 else slice(5, 16)  # 03:12, or 11-21T03:12
    cells = [("count", "type", "first", "last", "message")]
    for kind, group in ranked[:rows]:
        text = group["template"].replace(kind, "…")
        text = text[: -len(": …")] if text.endswith(": …") else text
        text = text if len(text) <= width else text[: width - 1].rstrip() + "…"
        times = [(group[end] or "?")[clock] or "?" for end in ("first", "last")]
        cells.append((format(group["count"], ","), kind, *times, text))
    if rows < len(ranked):
        rest = sum(group["count"] for _, group in ranked[rows:])
        cells.append((format(rest, ","), "in %d more types" % (len(ranked) - rows), "", "", ""))
    widths = [max(map(len, column)) for column in zip(*cells)]
    lines = []
    for count, *rest in cells:
        padded = [count.rjust(widths[0]), *(cell.ljust(width) for cell, width in zip(rest, widths[1:]))]
        lines.append("  ".join(padded).rstrip())
    return "\n".join([title, "", *lines])


def fitted(title, ranked, rows, left):
    """Messages give way first, then rows: a count says more than a message."""
    width = 60
    while rows > 1 and len(table(title, ranked, 16, rows)) > left:
        rows -= 1
    while width > 16 and len(table(title, ranked, width, rows)) > left:
        width -= 1
    return table(title, ranked, width, rows)


def some(things):
    more = ["%d more" % (len(things) - 3)] if len(things) > 3 else []
    return "; ".join(list(things[:3]) + more)


def summarized(files, whole, ranked, notes, seen, inputs):
    name = os.path.basename(files[0]["path"]) if len(files) == 1 else "%d files" % len(files)
    title = "%s: %s lines, %s errors of %d types" % (name, format(whole.lines, ","), format(whole.errors, ","), len(ranked))
    tail = "".join("\n%s" % note for note in notes)
    if not ranked:
        return "%s; levels at its start: %s%s" % (title, seen, tail)
    rows = min(len(ranked), inputs.get("top", 15))
    return fitted(title, ranked, rows, SUMMARY_CHARS - len(tail)) + tail


def main():
    inputs = json.load(sys.stdin)
    if not isinstance(inputs, dict) or not inputs.get("paths"):
        fail("say which files: paths")
    levels = Levels(inputs.get("levels") or DEFAULT_LEVELS)
    files, unreadable = look_up(inputs["paths"])
    if not files:
        fail("nothing can be read: %s" % some(unreadable))
    since, until = (limit(inputs, name, files, levels) for name in ("since", "until"))
    scan = Scan(levels, inputs.get("format", "auto"), since, until, inputs.get("match"))
    log("%d files, %d bytes" % (len(files), sum(file["size"] for file in files)))
    plain = [{key: value for key, value in file.items() if key != "start"} for file in files]
    whole, truncated = scanned(scan, plain)

    ranked = sorted(whole.groups.items(), key=lambda item: (-item[1]["count"], item[0]))
    samples = None
    if ranked:
        samples = os.environ.get("SRECODEX_PREFIX", "") + "samples.jsonl"
        with open(artifact(samples), "w", encoding="utf-8") as file:
            for kind, group in ranked:
                file.write(json.dumps({"type": kind, **group}, ensure_ascii=False) + "\n")

    notes = ["could not be read: %s" % some(unreadable)] if unreadable else []
    notes += ["read as far as it goes: %s" % some(truncated)] if truncated else []
    notes += ["%s lines look like JSON with an error and are none" % format(whole.broken, ",")] if whole.broken else []
    seen = occurring(files, levels) if not ranked else ""
    result = {
        "summary": summarized(files, whole, ranked, notes, seen, inputs),
        "files": len(files),
        "lines": whole.lines,
        "errors": whole.errors,
        "types": len(ranked),
        "groups": [
            {"type": kind, **{name: group[name] for name in ("count", "first", "last", "template")}}
            for kind, group in ranked[: inputs.get("top", 15)]
        ],
        "unreadable": unreadable + truncated,
        "samples": samples,
    }
    json.dump(result, sys.stdout)
    print()


if __name__ == "__main__":
    main()
