#!/usr/bin/env python3
"""Searches CloudWatch Logs over many log groups: events of a pattern, grouped by masked message, or rows of a query.

Inputs as a JSON object on stdin, outputs as one on stdout (both as SKILL.md has them), the log on stderr. Reads alone.
A log group that cannot be searched is told, and the others go on.
"""

import difflib
import hashlib
import json
import re
import signal
import sys
from datetime import datetime, timezone

from srecodex import SrecodexError, artifact, each, once, progress

sys.dont_write_bytecode = True

from aws_cli import AwsError, LOGIN_HINT, Paced, aws  # noqa: E402
from messages import Groups, iso  # noqa: E402
from queries import STOPPING, Queries, batches  # noqa: E402

AT_ONCE = 4
CHUNK_EVENTS = 20_000
KEY_CHARS = 200
NEAREST_OF = 1000
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
REGION = re.compile(r"[a-z0-9-]+\Z")
LOG_GROUP = re.compile(r"[\w./#-]{1,512}\Z", re.A)


def log(words):
    print(words, file=sys.stderr, flush=True)


def fail(words):
    log("error: %s" % words)
    sys.exit(1)


# --- inputs


def moment(text, now):
    """Seconds since the epoch, of RFC 3339 or a duration before now."""
    duration = re.match(r"(\d+)([smhdw])\Z", text)
    if duration:
        return now - int(duration.group(1)) * UNITS[duration.group(2)]
    # As Python 3.9 reads it: six digits of a second, and no Z.
    digits = re.sub(r"(\.\d{1,6})\d*", lambda found: found.group(1).ljust(7, "0"), text)
    try:
        # A day alone, or a time without a zone, is UTC's.
        at = datetime.fromisoformat(re.sub(r"[zZ]\Z", "+00:00", digits))
    except ValueError:
        fail("%r is no time: 2026-05-01T10:00:00Z, or a duration such as 90m, 6h, 7d" % text)
    return (at if at.tzinfo else at.replace(tzinfo=timezone.utc)).timestamp()


def checked(inputs):
    if not isinstance(inputs, dict):
        fail("the inputs are a JSON object")
    if ("log_groups" in inputs) == ("log_group_prefix" in inputs):
        fail("say where: log_groups, or log_group_prefix")
    if ("pattern" in inputs) == ("query" in inputs):
        fail("say what: pattern, or query")
    for region in inputs.get("regions", []):
        if not REGION.match(region):
            fail("%r is no region" % region)
    prefixes = [inputs["log_group_prefix"]] if "log_group_prefix" in inputs else []
    for name in inputs.get("log_groups", []) + prefixes:
        if not LOG_GROUP.match(name):
            fail("%r is no name of a log group" % name)
    if "log_groups" in inputs and not inputs["log_groups"]:
        fail("log_groups is empty")
    return inputs


def in_region(region):
    return [] if region is None else ["--region=%s" % region]


def text_flag(flag, text):
    """What begins like an address the CLI would fetch; blanks before it mean nothing."""
    return "--%s=%s" % (flag, " " + text if re.match(r"\w+://", text) else text)


# --- log groups


def names_with(prefix, region):
    words = ["logs", "describe-log-groups", "--log-group-name-prefix=%s" % prefix, "--query=logGroups[].logGroupName"]
    return aws(*words, *in_region(region)) or []


def nearest(prefix, region):
    words = ["logs", "describe-log-groups", "--query=logGroups[].logGroupName", "--max-items=%d" % NEAREST_OF]
    try:
        known = aws(*words, *in_region(region)) or []
    except AwsError:
        return []
    near = difflib.get_close_matches(prefix, known, 3, 0.3)
    part = [name for name in known if prefix.strip("/").split("/")[-1].lower() in name.lower()]
    return list(dict.fromkeys(part[:3] + near))[:3]


class Places:
    """Which log groups are searched in which region; what cannot be listed is told."""

    def __init__(self, inputs):
        self.incomplete = []
        self.error = None
        self.groups = {}
        prefix = inputs.get("log_group_prefix")
        for region in list(dict.fromkeys(inputs.get("regions", []))) or [None]:
            if prefix is None:
                self.groups[region] = list(dict.fromkeys(inputs["log_groups"]))
                continue
            try:
                self.groups[region] = names_with(prefix, region)
            except AwsError as error:
                self.error = error
                self.incomplete.append("%s: its log groups cannot be listed: %s" % (region or prefix, told(error)))
        if self.incomplete and not self.groups:
            fail("; ".join(self.incomplete))
        if prefix is not None and not any(self.groups.values()):
            near = [name for region in self.groups for name in nearest(prefix, region)]
            hint = "; near it: %s" % ", ".join(near) if near else ""
            fail("no log group begins with %s%s" % (prefix, hint))

    def pairs(self):
        return [(region, name) for region, names in self.groups.items() for name in names]


def told(error):
    return "%s; %s" % (error, LOGIN_HINT) if error.code == "expired login" else str(error)


def place_name(pair):
    region, name = pair
    return name if region is None else "%s/%s" % (region, name)


def key_of(pair):
    name = place_name(pair)
    if len(name) <= KEY_CHARS:
        return name
    return "%s…%s" % (name[: KEY_CHARS - 9], hashlib.sha256(name.encode()).hexdigest()[:8])


# --- events of a pattern


class Search:
    def __init__(self, inputs, window, pairs, file):
        self.inputs = inputs
        self.window = ["--start-time=%d" % (window[0] * 1000), "--end-time=%d" % (window[1] * 1000)]
        self.pairs = pairs
        self.groups = Groups(file)
        self.paced = {region: Paced(AT_ONCE) for region, _name in pairs}
        self.ended = set()
        self.full = []

    def read(self, pair):
        name = place_name(pair)
        try:
            seen, is_all = self.search(pair)
        except AwsError as error:
            log("%s: %s" % (name, error))
            raise SrecodexError(error.code, error.words) from None
        finally:
            self.ended.add(pair)
            progress(len(self.ended), len(self.pairs), name)
        if not is_all:
            self.full.append("%s: stopped at max_events, %d" % (name, seen))

    def most(self):
        return self.inputs.get("max_events", 500_000)

    def search(self, pair):
        """A part of the pages a call, so that neither side holds all events at once; the CLI follows empty pages."""
        region, group = pair
        words = ["logs", "filter-log-events", "--log-group-name=%s" % group, *in_region(region), *self.window]
        words.append(text_flag("filter-pattern", self.inputs["pattern"]))
        words.append("--query={events: events[].[timestamp, message], token: NextToken}")
        seen, token = 0, None
        while seen < self.most():
            part = ["--max-items=%d" % min(CHUNK_EVENTS, self.most() - seen)]
            part += [] if token is None else ["--starting-token=%s" % token]
            found = self.paced[region].call(lambda more=part: aws(*words, *more)) or {}
            events = found.get("events") or []
            self.groups.add(group, events)
            seen += len(events)
            token = found.get("token")
            if token is None:
                break
        return seen, token is None


def by_pattern(inputs, window, places):
    pairs = places.pairs()
    with open(artifact("events.jsonl"), "w", encoding="utf-8") as file:
        search = Search(inputs, window, pairs, file)
        done = each(pairs, search.read, key=key_of, at_once=min(256, AT_ONCE * len(places.groups)))
        for item in done.ok:
            # Finished by an earlier run: what was read is not kept, and reading it again changes nothing.
            if item.item not in search.ended:
                search.read(item.item)
    failed = not_done(done, lambda item: place_name(item.item))
    if pairs and len(failed) == len(pairs):
        fail("; ".join(failed[:3]))
    top = search.groups.top(inputs.get("top", 10))
    return {
        "summary": "",
        "log_groups": len(pairs) - len(failed),
        "events": search.groups.total,
        "groups": top,
        "incomplete": places.incomplete + failed + search.full,
    }, search.groups.kinds()


def not_done(done, name):
    failed = [item for item in done.items if item.state != "ok"]
    return ["%s: %s" % (name(item), reason(item.error)) for item in failed]


def reason(error):
    if not isinstance(error, SrecodexError):
        return str(error)
    return "%s: %s%s" % (error.code, error.message, "; " + LOGIN_HINT if error.code == "expired login" else "")


# --- rows of a query


def by_query(inputs, window, places):
    work = [(region, part) for region, names in places.groups.items() for part in batches(names)]
    queries = Queries(text_flag("query-string", inputs["query"]), window, inputs.get("top", 10), in_region)
    signal.signal(signal.SIGINT, interrupted)
    signal.signal(signal.SIGTERM, interrupted)
    done = each(work, queries.run, key=queries.key(work), at_once=min(256, AT_ONCE * max(1, len(places.groups))))
    if STOPPING.is_set():
        log("error: interrupted; the queries were stopped")
        sys.exit(130)
    for item in done.ok:
        if item.key not in queries.found:
            queries.run(item.item)
    failed = not_done(done, lambda item: item.key)
    if work and len(failed) == len(work):
        fail("; ".join(failed[:3]))
    rows, matched, scanned = queries.result(work)
    searched = sum(len(item.item[1]) for item in done.ok)
    return {
        "summary": "",
        "log_groups": searched,
        "events": matched,
        "rows": rows,
        "scanned_bytes": scanned,
        "incomplete": places.incomplete + failed,
    }, len(queries.found)


def interrupted(_number, _frame):
    """A query goes on, and costs, unless it is stopped: whoever waits for one looks here, and ends."""
    STOPPING.set()


# --- the whole


def count(number, word):
    return "%d %s%s" % (number, word, "" if number == 1 else "s")


def summarized(inputs, window, result, kinds):
    span = "%s to %s" % (iso(window[0]), iso(window[1]))
    of = "%s, %s" % (count(result["log_groups"], "log group"), span)
    if "query" in inputs:
        parts = ", in %d queries whose rows stand one after another" % kinds if kinds > 1 else ""
        rows = count(len(result["rows"]), "row")
        lines = ["%s%s; %s, %.1f MB scanned" % (rows, parts, of, result["scanned_bytes"] / 1e6)]
        lines += [", ".join("%s: %s" % one for one in row.items()) for row in result["rows"][:5]]
        lines += ["… and %d more rows" % (len(result["rows"]) - 5)] if len(result["rows"]) > 5 else []
    elif result["events"] == 0:
        lines = ["nothing found: %s" % of]
    else:
        found = "%s of %s" % (count(result["events"], "event"), count(kinds, "kind"))
        lines = ["%s; %s (all: events.jsonl)" % (found, of)]
        for one in result["groups"][:8]:
            where = "%s%s" % (", ".join(one["log_groups"][:2]), ", …" if len(one["log_groups"]) > 2 else "")
            lines.append("%d  %s  (%s)" % (one["count"], one["type"][:100], where))
    if result["incomplete"]:
        shown, more = result["incomplete"][:3], len(result["incomplete"]) - 3
        lines.append("not complete: %s%s" % ("; ".join(shown), "; %d more" % more if more > 0 else ""))
    return "\n".join(re.sub(r"[\x00-\x1f\x7f]+", " ", line) for line in lines)


def main():
    inputs = checked(json.load(sys.stdin))
    now = once("now", lambda: int(datetime.now(timezone.utc).timestamp()))
    window = (moment(inputs.get("since", "1h"), now), moment(inputs["until"], now) if "until" in inputs else now)
    if window[0] >= window[1]:
        fail("the window ends before it begins: %s to %s" % (iso(window[0]), iso(window[1])))
    places = Places(inputs)
    log(count(len(places.pairs()), "log group"))
    result, kinds = (by_query if "query" in inputs else by_pattern)(inputs, window, places)
    result["summary"] = summarized(inputs, window, result, kinds)
    json.dump(result, sys.stdout)
    print()


main()
