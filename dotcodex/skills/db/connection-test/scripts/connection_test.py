#!/usr/bin/env python3
"""One attempt to connect to a database; if it fails, the step at which it fails.

Inputs as a JSON object on stdin, outputs as one on stdout (both as SKILL.md has them). Executes no SQL in PostgreSQL,
creates no SQLite file, tries nothing twice. Host, port, role and password do not appear in the result.
"""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

HEADER = b"SQLite format 3\0"
TABLES = "SELECT count(*) FROM sqlite_master WHERE type = 'table'"

# What is said, the step that it belongs to, and whether a server was there and the login was good.
PROBLEMS = (
    ("dns", r"could not translate host name|[Nn]ame or service not known|name resolution", False, False),
    ("tls", r"certificate|does not support SSL|SSL error|SSL connection has been closed|SSL SYSCALL", True, False),
    ("starting-up", r"the database system is (?:starting up|not yet accepting|not accepting|in recovery|shutting down)", True, False),
    ("not-allowed", r"no pg_hba\.conf entry|pg_hba\.conf rejects|permission denied for database|is not permitted to log in", True, False),
    ("too-many-connections", r"too many (?:clients|connections)|remaining connection slots", True, False),
    ("no-such-database", r"database \".*\" does not exist", True, True),
    ("authentication", r"authentication failed|no password supplied|role \".*\" does not exist|certificate authentication", True, False),
    ("refused", r"Connection refused|No such file or directory\s+Is the server running", False, False),
    ("no-answer", r"timeout expired|timed out|No route to host|Network is unreachable", False, False),
)
# What names the operator's server or role.
PREFIX = re.compile(r"^psql: error: |connection to server (?:at|on socket) .*? failed: |\(\S+\), port \d+")
NAMED = re.compile(r"((?:host name|host|user|role) )\"[^\"]*\"")
ADDRESS = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b|(?<![\w:])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?![\w:])")


def fail(words):
    print("error: %s" % words, file=sys.stderr, flush=True)
    sys.exit(1)


def failed(problem, message, reachable, authenticated):
    return {
        "reachable": reachable,
        "authenticated": authenticated,
        "version": None,
        "latency_ms": None,
        "encrypted": None,
        "problem": problem,
        "message": message,
    }


# --- PostgreSQL


def postgresql(seconds):
    if shutil.which("psql") is None:
        fail("there is no psql here: the operator installs it, or opens it with an entry [tools.psql]")
    words = ["psql", "-X", "-q", "-A", "-t", "-w", "-c", r"\conninfo", "-c", r"\echo version :SERVER_VERSION_NAME"]
    # Where psql is no tool of the operator's but runs here, it keeps the time itself as well.
    environment = {**os.environ, "PGCONNECT_TIMEOUT": str(max(2, seconds))}
    began = time.monotonic()
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, env=environment)
    except subprocess.TimeoutExpired:
        return failed("no-answer", "no answer within %d s" % seconds, False, False)
    elapsed = round((time.monotonic() - began) * 1000, 1)
    stdout, stderr = (stream.decode("utf-8", "replace") for stream in (done.stdout, done.stderr))
    if done.returncode != 0:
        if stderr.startswith("error["):
            fail(stderr.split("\n", 1)[0])
        return {**judged(stderr), "latency_ms": None}
    version = re.search(r"^version (\S+)", stdout, re.M)
    # Older ones say it in a sentence, newer ones in a row of a table.
    encrypted = re.search(r"^SSL connection \(|^SSL Connection\W+(?:true|t|yes|on)\b", stdout, re.M | re.I) is not None
    return {
        "reachable": True,
        "authenticated": True,
        "version": "PostgreSQL %s" % version[1] if version else None,
        "latency_ms": elapsed,
        "encrypted": encrypted,
        "problem": None,
        "message": None,
    }


def judged(stderr):
    # With several addresses psql says one thing of each: the last server that answered knows most.
    words = " ".join(stderr.split())
    message = ADDRESS.sub("<address>", NAMED.sub(r'\1"<…>"', PREFIX.sub("", words))).strip()
    for problem, sign, reachable, authenticated in PROBLEMS:
        if re.search(sign, words):
            return failed(problem, message[:500], reachable, authenticated)
    return failed("other", message[:500] or "psql said nothing", "FATAL" in words, False)


# --- SQLite


def sqlite(name, seconds):
    path = Path(name)
    began = time.monotonic()
    try:
        if not path.is_file():
            fail("%s is not there, and is not created" % name if not path.exists() else "%s is no file" % name)
        with path.open("rb") as file:
            header = file.read(16)
    except PermissionError:
        return failed("not-allowed", "%s may not be read" % name, False, False)
    if header and header != HEADER:
        return failed("not-a-database", "file is not a database: it does not begin as SQLite files do, or is encrypted", True, False)
    try:
        database = sqlite3.connect("%s?mode=ro" % path.resolve().as_uri(), uri=True, timeout=seconds)
        deadline = time.monotonic() + seconds
        database.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
        try:
            tables = database.execute(TABLES).fetchone()[0]
            elapsed = round((time.monotonic() - began) * 1000, 1)
            checked = database.execute("PRAGMA quick_check(1)").fetchone()[0]
        finally:
            database.close()
    except sqlite3.Error as error:
        words = str(error)
        kinds = (("locked", "locked"), ("not a database", "not-a-database"), ("malformed", "damaged"), ("interrupted", "no-answer"))
        problem = next((kind for sign, kind in kinds if sign in words), "other")
        words = "quick_check took longer than %d s" % seconds if problem == "no-answer" else words
        return failed(problem, words, True, problem in ("locked", "no-answer"))
    if checked != "ok":
        return {**failed("damaged", checked[:500], True, True), "version": "SQLite %s" % sqlite3.sqlite_version}
    return {
        "reachable": True,
        "authenticated": True,
        "version": "SQLite %s, %d tables" % (sqlite3.sqlite_version, tables),
        "latency_ms": elapsed,
        "encrypted": None,
        "problem": None,
        "message": None,
    }


def main():
    inputs = json.load(sys.stdin)
    if not isinstance(inputs, dict) or not isinstance(inputs.get("database"), str) or not inputs["database"]:
        fail("say which database: a SQLite file, or postgresql")
    name, seconds = inputs["database"], int(inputs.get("timeout_seconds", 5))
    result = postgresql(seconds) if name == "postgresql" else sqlite(name, seconds)
    if result["problem"] is None:
        tls = {True: ", encrypted", False: ", not encrypted"}.get(result["encrypted"], "")
        summary = "%s: connected in %s ms, %s%s" % (name, result["latency_ms"], result["version"] or "version not told", tls)
    else:
        step = "logged in, but " if result["authenticated"] else "reached, but " if result["reachable"] else ""
        summary = "%s: %s%s: %s" % (name, step, result["problem"], result["message"])
    json.dump({"summary": summary, **result}, sys.stdout)
    print()


main()
