#!/usr/bin/env python3
"""Applies pending SQL migrations in order, each in a transaction together with its record; stops at the first failure.

Inputs as a JSON object on stdin, outputs as one on stdout (both as SKILL.md has them), the log on stderr. What is not
right with the folder is found before anything is executed.
"""

import hashlib
import json
import os
import re
import sys
import time
from pathlib import Path

from srecodex import SrecodexError, each, once, progress

sys.dont_write_bytecode = True

from in_postgres import Postgres  # noqa: E402
from in_sqlite import MigrationError, Sqlite  # noqa: E402
from statements import refusal, stands_alone  # noqa: E402

NAME = re.compile(r"(\d+)[_-].*\.sql\Z", re.IGNORECASE)
TABLE = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?\Z")
PLANNING = os.environ.get("SRECODEX_PHASE") == "plan"


def log(words):
    print(words, file=sys.stderr, flush=True)


def fail(words):
    log("error: %s" % words)
    sys.exit(1)


# --- the folder


def migrations_in(folder):
    root = Path(folder)
    if not root.is_dir():
        fail("%s is no folder" % folder)
    found = []
    for path in sorted(root.iterdir()):
        match = NAME.match(path.name)
        if not match or not path.is_file():
            continue
        content = path.read_bytes()
        text = content.decode("utf-8", "replace")
        digest = hashlib.sha256(content).hexdigest()
        found.append(
            {"version": int(match[1]), "number": match[1], "file": path.name, "path": str(path), "text": text, "sha256": digest}
        )
    return sorted(found, key=lambda one: (one["version"], one["file"]))


def problem(migrations, recorded, pending):
    """(migration, line, message) that forbids to begin; None: there is none."""
    seen = {}
    for one in migrations:
        other = seen.setdefault(one["version"], one)
        if other is not one:
            return one, None, "%s and %s have one number" % (other["file"], one["file"])
    for one in migrations:
        if changed(one, recorded):
            return one, None, "%s was applied, and has changed since" % one["file"]
    last = max((one for one in migrations if one["version"] in recorded), key=lambda one: one["version"], default=None)
    for one in pending:
        if last and one["version"] < last["version"]:
            return one, None, "%s is not applied, and %s, which comes after it, is" % (one["file"], last["file"])
        found = refusal(one["text"])
        if found:
            return one, found[0], found[1]
    return None


def changed(migration, recorded):
    digest = recorded.get(migration["version"])
    # A comment holds the beginning of a digest.
    return digest is not None and not migration["sha256"].startswith(digest)


# --- applying


class Batch:
    def __init__(self, database, pending):
        self.database = database
        self.pending = {one["file"]: one for one in pending}
        self.failure = None
        self.ended = 0

    def apply(self, name):
        migration = self.pending[name]
        if self.failure is not None:
            raise SrecodexError("not reached", "the one before it was not applied")
        log("%s ..." % name)
        began = time.monotonic()
        try:
            mine = self.database.apply(migration)
        except MigrationError as error:
            if not self.lost(migration, error):
                self.failure = (migration, error)
                raise SrecodexError(error.kind, error.message) from None
            mine = True
        finally:
            self.ended += 1
            progress(self.ended, len(self.pending), name)
        seconds = round(time.monotonic() - began, 3)
        return {"version": migration["number"], "file": name, "seconds": seconds, "mine": mine}

    def lost(self, migration, error):
        """It is recorded after all: only the answer was lost."""
        if error.kind in ("skipped", "refused", "no psql") or stands_alone(migration["text"]):
            return False
        try:
            return migration["version"] in self.database.recorded()
        except MigrationError:
            return False

    def verify(self, name):
        """Is it recorded? The record is in its transaction; without one, what is not recorded may be half done."""
        migration = self.pending[name]
        try:
            recorded = self.database.recorded()
        except MigrationError as error:
            log("%s: cannot look: %s" % (name, error.message))
            return None
        if migration["version"] in recorded:
            return not changed(migration, recorded)
        return None if stands_alone(migration["text"]) else False


def told(migration, error):
    return {
        "version": migration["number"],
        "file": migration["file"],
        "line": error.line,
        "sqlstate": error.sqlstate,
        "message": error.message,
    }


def apply_all(database, pending):
    batch = Batch(database, pending)
    names = list(batch.pending)
    # One wave each: nothing begins before what is in front of it is applied and verified.
    done = each(names, batch.apply, at_once=1, waves=[1] * max(1, len(names)), max_failures=0, verify=batch.verify)
    applied = []
    for item in done.ok:
        value = item.value or {"version": batch.pending[item.key]["number"], "file": item.key}
        if value.pop("mine", True):
            applied.append(value)
    ok = {item.key for item in done.ok}
    left = [name for name in names if name not in ok]
    failed = None
    if batch.failure is not None:
        failed = told(*batch.failure)
    elif left:
        item = next(item for item in done.items if item.key == left[0])
        words = item.error.message if isinstance(item.error, SrecodexError) else str(item.error or item.state)
        failed = told(batch.pending[left[0]], MigrationError(item.state, words))
    unknown = {item.key for item in done.unknown}
    doubtful = failed is not None and failed["file"] in unknown and batch.failure is None
    doubtful = doubtful or (batch.failure is not None and batch.failure[1].kind == "connection lost")
    kind = batch.failure[1].kind if batch.failure else "other"
    return {"applied": applied, "pending": left, "failed": failed}, kind, doubtful


def refuse(found):
    """As an item, so that the run is told as failed and the file by its name."""
    migration, line, message = found
    log("%s: %s" % (migration["file"], message))

    def stop(_name):
        raise SrecodexError("refused", message)

    each([migration["file"]], stop)
    return told(migration, MigrationError("refused", message, line))


def try_all(database, pending):
    def trial(_name):
        found = database.trial(pending)
        return None if found is None else told(*found)

    done = each(["dry run"], trial)
    if not done.ok:
        item = (done.failed + done.unknown + done.skipped + done.pending)[0]
        fail("the dry run could not be made: %s" % item.error)
    return done.ok[0].value


# --- the whole


def names(files):
    more = ["%d more" % (len(files) - 5)] if len(files) > 5 else []
    return ", ".join(files[:5] + more)


def where(failed):
    state = " (%s)" % failed["sqlstate"] if failed["sqlstate"] else ""
    return "%s%s: %s%s" % (failed["file"], ", line %d" % failed["line"] if failed["line"] else "", failed["message"], state)


def main():
    inputs = json.load(sys.stdin)
    if not isinstance(inputs, dict) or not inputs.get("database") or not inputs.get("folder"):
        fail("say which database and folder")
    if not TABLE.match(inputs.get("table", "schema_migrations")):
        fail("%r is no name of a table" % inputs["table"])
    dry = inputs.get("dry_run", False)
    migrations = migrations_in(inputs["folder"])
    target = inputs.get("target")
    if target is not None:
        versions = {one["version"] for one in migrations}
        if not target.isdigit() or int(target) not in versions:
            fail("there is no version %s in %s" % (target, inputs["folder"]))
        migrations = [one for one in migrations if one["version"] <= int(target)]
    database = Postgres(inputs) if inputs["database"] == "postgresql" else Sqlite(inputs)
    try:
        recorded = database.recorded()
    except MigrationError as error:
        fail("what was applied cannot be read: %s" % error.message)
    # What a plan, its apply and a resume mean is decided once: the same files, with the same contents.
    decided = once("pending", lambda: [[one["file"], one["sha256"]] for one in migrations if one["version"] not in recorded])
    by_name = {one["file"]: one for one in migrations}
    for name, digest in decided:
        if name not in by_name or by_name[name]["sha256"] != digest:
            fail("%s is not what it was when this was planned: run it again for a new plan" % name)
    pending = [by_name[name] for name, _digest in decided]

    result = {"summary": "", "applied": [], "pending": [one["file"] for one in pending], "failed": None}
    result.update(changed=[one["file"] for one in migrations if changed(one, recorded)], dry_run=dry)
    found = problem(migrations, recorded, [one for one in pending if one["version"] not in recorded])
    place = "%s, %s" % (inputs["database"], inputs["folder"])
    alone = [one["file"] for one in pending if stands_alone(one["text"])]
    if found:
        result["failed"] = refuse(found)
        summary = "nothing was begun: %s" % where(result["failed"])
    elif not pending:
        summary = "nothing pending in %s, %d applied" % (place, len(migrations))
    elif dry:
        result["failed"] = try_all(database, pending) if len(alone) < len(pending) else None
        outcome = "fails in %s" % where(result["failed"]) if result["failed"] else "passes"
        planned = "would be tried" if PLANNING and inputs["database"] == "postgresql" else outcome
        summary = "dry run of %d migrations in %s %s; all rolled back" % (len(pending) - len(alone), place, planned)
        summary += "; not tried, they take no transaction: %s" % names(alone) if alone else ""
    else:
        outcome, kind, doubtful = apply_all(database, pending)
        result.update(outcome)
        verb = "to apply" if PLANNING and inputs["database"] == "postgresql" else "applied"
        files = [one["file"] for one in result["applied"]]
        summary = "%d of %d pending migrations %s in %s%s" % (len(files), len(pending), verb, place, ": " + names(files) if files else "")
        failed = result["failed"]
        if failed:
            undone = "may be half done, look at it" if failed["file"] in alone else "rolled back"
            undone = "not run" if kind in ("locked", "refused", "skipped", "no psql") else undone
            undone = "outcome unknown" if doubtful else undone
            summary += "\nfailed: %s (%s)" % (where(failed), undone)
            after = len(result["pending"]) - 1
            summary += "; %d after it not begun" % after if after else ""
    result["summary"] = summary
    json.dump(result, sys.stdout)
    print()


main()
