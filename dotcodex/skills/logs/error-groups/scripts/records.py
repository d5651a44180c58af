"""What a record is: its level, time, message and type, in plain text, JSON lines, logfmt, syslog and klog. Pure.

A record is an error where its own level says so: the first level that stands in its head, or the level field of a JSON
object or of a logfmt line. A line that quotes an error, or only mentions the word, is none.
"""

import json
import re
from datetime import datetime, timezone

MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
MONTH = "(?:%s)" % "|".join(MONTHS)
DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
ISO = r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z\b|UTC|GMT|[+-]\d\d:?\d\d\b))?"
SYSLOG = MONTH + r" [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)?"
APACHE = DAY + " " + SYSLOG + r" \d{4}"
KLOG = r"[IWEF]\d{4} \d\d:\d\d:\d\d(?:\.\d+)?"
KNOWN = "LOG DETAIL HINT STATEMENT TRACE DEBUG VERBOSE FINE INFO NOTICE WARN WARNING ERROR ERR SEVERE ALERT FATAL CRITICAL CRIT PANIC EMERG EMERGENCY".split()
SAME = {"ERROR": ["ERR"], "CRITICAL": ["CRIT"], "PANIC": ["EMERG", "EMERGENCY"], "WARN": ["WARNING"], "WARNING": ["WARN"]}

STAMP = re.compile(
    (r"(?:<\d{1,3}>(?:1 )?)?(?:\[?(?P<level>[A-Za-z]{3,9})\]?:? +)?[\[(]?(?P<time>%s|%s|%s)[\])]?(?=\s|$)" % (ISO, APACHE, SYSLOG)).encode()
)
KLOG_LINE = re.compile((r"(?P<level>[IWEF])(?P<time>\d{4} \d\d:\d\d:\d\d(?:\.\d+)?) +\d+ \S+\] ?").encode())
# Where the next record begins: all else belongs to the record before.
HEAD = re.compile(
    (
        r"\n(?=\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d|\{\"|(?:ts|time|timestamp|t|at|level|lvl)=|<\d{1,3}>|\[?%s [ \d]\d \d\d:|\[?%s %s |%s"
        r"|\[?(?:%s)\]?:? +\[?\d{4}[-/]\d)" % (MONTH, DAY, MONTH, KLOG, "|".join(KNOWN))
    ).encode()
)
TIMELESS_HEAD = re.compile((r"\n(?=\[?(?:%s)\b)" % "|".join(KNOWN)).encode())
TOKEN = re.compile(rb"\s*(\S+)")
LOGFMT = re.compile(rb"[A-Za-z_@][\w.@-]*=")
FIELD = re.compile(r'([\w.@-]+)=(?:"((?:[^"\\]|\\.)*)"?|(\S*))')
MARKS = b"[](){}<>|:,;-*"
HEAD_TOKENS = 8

LEVEL_FIELDS = ("level", "severity", "lvl", "levelname", "log.level", "loglevel", "@level", "severity_text", "Level")
TIME_FIELDS = ("ts", "time", "timestamp", "@timestamp", "t", "at", "date", "datetime", "@t")
MESSAGE_FIELDS = ("msg", "message", "error", "err", "exception", "@m")
STACK_FIELDS = ("stack", "stack_trace", "stacktrace", "error.stack_trace", "exc_info", "traceback", "@x")

CLASS = re.compile(r"^(?:Caused by: )?(?:[\w$]+\.)*([\w$]+(?:Error|Exception)|(?<=\.)[A-Z][\w$]+)(?=:|$)", re.MULTILINE)
NAMED = re.compile(r"\b(?:[\w$]+\.)*([A-Z][\w$]*(?:Error|Exception))\b")
STATUS = re.compile(r"\b(?:HTTP(?:/[\d.]+)?|status(?: code)?)[ =:]+([45]\d\d)\b", re.IGNORECASE)
MASKS = [
    (re.compile(r"\"[^\"]*\"|(?<!\w)'[^']*'"), "<text>"),
    (re.compile(r"[^\s@<>,;:=]+@[\w-]+(?:\.[\w-]+)+"), "<mail>"),
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE), "<uuid>"),
    (re.compile(r"\b\d+(?:\.\d+){3}(?::\d+)?\b"), "<ip>"),
    (re.compile(r"(?<![\w:])(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{1,4}(?![\w:])", re.IGNORECASE), "<ip>"),
    (re.compile(r"\b(?=\w*\d)[0-9a-f]{12,}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\b\d+(?:\.\d+)? ?(?:us|ms|s)\b"), "<time>"),
    (re.compile(r"\d+"), "<n>"),
]
MASKABLE = re.compile(r"[\d\"'@]|[0-9a-fA-F]+:")
TYPE_CHARS = 60
MESSAGE_BYTES = 20_000


class Levels:
    """The levels that count, in whatever case, and how to find them fast."""

    def __init__(self, names):
        self.words = set()
        for name in names:
            word = name.strip().upper()
            self.words.update([word, *SAME.get(word, [])])
        self.known = {word.encode() for word in self.words} | {word.encode() for word in KNOWN}
        self.wanted = {word.encode() for word in self.words}
        some = "|".join(map(re.escape, sorted(self.words, key=len, reverse=True)))
        self.word = re.compile(r"(?<![A-Za-z0-9_])(?:%s)(?![A-Za-z0-9_])".encode() % some.encode(), re.IGNORECASE)
        fields = "|".join(map(re.escape, LEVEL_FIELDS))
        self.json = re.compile((r'"(?:%s)"\s*:\s*"(?:%s)"' % (fields, some)).encode(), re.IGNORECASE)
        calm = "|".join(one for word in KNOWN if word not in self.words for one in (word, word.lower()))
        # The usual forms of a record of another level: most lines that only mention a word end here.
        self.calm = re.compile(
            (
                r'\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,\d]*Z?\]? +\[?(?:%s)[\]:]* '
                r'|\{"(?:ts|time|timestamp|@timestamp)":"[^"]{0,40}","level":"(?:%s)"'
                r'|(?:ts|time)="?[\dT:.Z+-]+"? level=(?:%s) ' % (calm, calm, calm)
            ).encode()
        )
        self.klog = {b"E"} if "ERROR" in self.words else set()
        self.klog |= {b"F"} if "FATAL" in self.words else set()

    def needles(self):
        """Bytes to search for, with how far the level begins before them: as few as find it in any usual case."""
        found = {}
        for word in self.words:
            # Where ERR is looked for, so is ERROR.
            if any(other != word and word.startswith(other) for other in self.words):
                continue
            lower = word.lower()
            found[word] = 0
            if word == "EMERG":
                found[lower] = 0  # syslog's own word: written so, or in capitals
            elif len(word) >= 5:
                found[lower[1:]] = 1  # both fatal and Fatal
            else:
                found[lower] = found[lower.capitalize()] = 0
        return [(one.encode(), found[one]) for one in sorted(found)]


# --- times, as one text that sorts: 2026-11-21T03:12:45.123Z


PLAIN_TIME = re.compile(r"(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d+))?(?: ?(Z|UTC|GMT|[+-]\d\d:?\d\d))?\Z")
OTHER_TIME = re.compile(r"(?:%s )?(%s) ([ \d]\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?(?: (\d{4}))?\Z" % (DAY, MONTH))
KLOG_TIME = re.compile(r"(\d\d)(\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?\Z")


def moment(text, year):
    """None where it is no time. Without a zone it is taken as UTC, without a year as the year of the file."""
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        seconds = text / 1000 if text > 1e11 else text
        try:
            return stamp(datetime.fromtimestamp(seconds, timezone.utc))
        except (ValueError, OverflowError, OSError):
            return None
    if len(text) == 24 and text[10] == "T" and text[19] == "." and text[23] == "Z":
        return text
    found = PLAIN_TIME.match(text)
    if found:
        years, month, day, clock, fraction, zone = found.groups()
        if zone and zone[0] in "+-" and zone[1:].replace(":", "") != "0000":
            iso = "%s-%s-%sT%s%s:%s" % (years, month, day, clock, zone[:3], zone[-2:])
            try:
                moved = datetime.fromisoformat(iso).astimezone(timezone.utc)
            except ValueError:
                return None
            return moved.strftime("%Y-%m-%dT%H:%M:%S") + parts(fraction)
        return "%s-%s-%sT%s%s" % (years, month, day, clock, parts(fraction))
    found = OTHER_TIME.match(text)
    if found:
        month, day, clock, fraction, own = found.groups()
        return "%s-%02d-%02dT%s%s" % (own or year, MONTHS.index(month) + 1, int(day), clock, parts(fraction))
    found = KLOG_TIME.match(text)
    if found:
        return "%s-%s-%sT%s%s" % (year, found[1], found[2], found[3], parts(found[4]))
    return None


def stamp(when):
    return when.strftime("%Y-%m-%dT%H:%M:%S") + parts("%03d" % (when.microsecond // 1000))


def parts(fraction):
    return ".%sZ" % (fraction + "00")[:3] if fraction else ".000Z"


# --- one line: (time, message, stack, level), or None where it is no error


class Reader:
    def __init__(self, levels, form, year, timeless):
        self.levels = levels
        self.form = form
        self.year = year
        self.timeless = timeless
        self.broken = 0

    def read(self, line):
        if line[:1] == b"{":
            if self.form in ("auto", "json"):
                return self.json(line)
        elif self.form == "json":
            return None
        if self.form != "plain" and LOGFMT.match(line):
            return self.logfmt(line, None)
        return self.plain(line)

    def plain(self, line):
        klog = KLOG_LINE.match(line)
        if klog:
            if klog["level"] not in self.levels.klog or self.form == "logfmt":
                return None
            return self.time(klog["time"]), text_of(line[klog.end() :]), "", klog["level"]
        head = STAMP.match(line)
        if head is None and not self.timeless:
            return None
        position = 0
        if head:
            position = head.end()
            if head["level"] is not None:
                word = head["level"].upper()
                if word in self.levels.known:
                    return self.told(head, line, position, word)
        if self.form == "logfmt":
            return None
        for place in range(HEAD_TOKENS if head else 1):
            token = TOKEN.match(line, position)
            if token is None:
                return None
            position, raw = token.end(), token[1]
            word = raw.upper() if raw.isalpha() else None
            if word is None:
                if place == 0 and head and self.form == "auto" and LOGFMT.match(raw):
                    return self.logfmt(line[token.start(1) :], self.time(head["time"]))
                bare = raw.strip(MARKS)
                bracketed = raw[:1] in b"[<(" or raw[-1:] in b":]|"
                if b":" in bare and (bracketed or place == 0):
                    # [core:error], ERROR:root:…
                    pieces = bare.split(b":")
                    bare = pieces[0] if pieces[0].upper() in self.levels.known else pieces[-1]
                    if place == 0 and not bracketed and bare == pieces[0]:
                        position = token.start(1) + len(bare) + 1
                word = bare.upper()
                plain_to_see = bracketed or place == 0 or bare == word
            else:
                plain_to_see = place == 0 or raw == word
            if plain_to_see and word in self.levels.known:
                return self.told(head, line, position, word)
        return None

    def told(self, head, line, position, word):
        if word not in self.levels.wanted:
            return None
        return self.time(head["time"]) if head else None, text_of(line[position:]), "", word

    def json(self, line):
        if not self.levels.json.search(line) and b'"level":{' not in line:
            return None
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            self.broken += 1
            return None
        if not isinstance(record, dict):
            return None
        level = level_of(record)
        if level is None or level.encode("utf-8", "replace") not in self.levels.wanted:
            return None  # the level of something nested or quoted
        said, stack = [], ""
        for name in MESSAGE_FIELDS:
            value = record.get(name)
            if isinstance(value, dict):
                stack = stack or str(value.get("stack_trace") or value.get("stack") or "")
                value = ": ".join(str(value[one]) for one in ("type", "name", "message") if value.get(one))
            if value and str(value) not in said:
                said.append(str(value))
        for name in STACK_FIELDS:
            stack = stack or str(record.get(name) or "")
        when = next((moment(record[name], self.year) for name in TIME_FIELDS if usable(record.get(name))), None)
        return when, ": ".join(said), stack, level

    def logfmt(self, line, when):
        text = line.decode("utf-8", "replace")
        fields = {}
        for key, quoted, bare in FIELD.findall(text):
            fields.setdefault(key, quoted.replace('\\"', '"') if quoted else bare)
        level = next((fields[name] for name in LEVEL_FIELDS if name in fields), "").upper()
        if level.encode() not in self.levels.wanted:
            return None
        time = next((fields[name] for name in TIME_FIELDS if name in fields), None)
        message = ": ".join(fields[name] for name in MESSAGE_FIELDS if fields.get(name))
        return when or (moment(time, self.year) if time else None), message, fields.get("stack", ""), level

    def time(self, text):
        return moment(text.decode("ascii", "replace"), self.year)

    def begins(self, line):
        """Does a record begin here, of whatever level? Its time, and the level where it is plain to see."""
        if line[:1] == b"{":
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                return None
            if not isinstance(record, dict):
                return None
            when = next((moment(record[name], self.year) for name in TIME_FIELDS if usable(record.get(name))), None)
            return when, level_of(record)
        if LOGFMT.match(line):
            fields = {key: quoted or bare for key, quoted, bare in FIELD.findall(line.decode("utf-8", "replace"))}
            time = next((fields[name] for name in TIME_FIELDS if name in fields), None)
            level = next((fields[name].upper() for name in LEVEL_FIELDS if name in fields), None)
            return (moment(time, self.year) if time else None), level
        head = STAMP.match(line) or KLOG_LINE.match(line)
        if head is None:
            return None
        level = head["level"]
        if level is None or level.upper() not in self.levels.known:
            words = [one.strip(MARKS) for one in line[head.end() :].split(None, HEAD_TOKENS)[:HEAD_TOKENS]]
            level = next((one for one in words if one.upper() in self.levels.known), None)
        return self.time(head["time"]), level.decode().upper() if level else None


def usable(value):
    return isinstance(value, (str, int, float)) and not isinstance(value, bool)


def level_of(record):
    for name in LEVEL_FIELDS:
        if isinstance(record.get(name), str):
            return record[name].upper()
    inner = record.get("log")
    return inner["level"].upper() if isinstance(inner, dict) and isinstance(inner.get("level"), str) else None


LEADING = re.compile(r"[\s|:-]*(?:\[[^\]]*\]\s*|\d+ --- )*[\s|:-]*")


def text_of(rest):
    text = rest[:MESSAGE_BYTES].decode("utf-8", "replace").rstrip()
    return text[LEADING.match(text).end() :]


# --- what kind of error it is


def mask(text):
    if MASKABLE.search(text) is None:
        return text
    for pattern, name in MASKS:
        text = pattern.sub(name, text)
    return text


class Types:
    """The type of an error; ends of messages that come again are masked once."""

    def __init__(self):
        self.known = {}

    def of(self, message, trace):
        """The last class that a trace names is the cause; else a class or status in the message; else its end."""
        classes = CLASS.findall(trace) if trace else None
        if classes:
            return classes[-1]
        named = NAMED.search(message)
        if named:
            return named[1]
        status = STATUS.search(message)
        if status:
            return "HTTP %s" % status[1]
        end = message.rpartition(": ")[2]
        kind = self.known.get(end)
        if kind is None:
            kind = mask(end[:500])[:TYPE_CHARS].strip() or "no message"
            if len(self.known) < 10_000:
                self.known[end] = kind
        return kind


def template(message, kind):
    return kind.join(mask(part) for part in message[:2000].split(kind))
