"""Migrations in PostgreSQL, through psql: one call a file, with its record in the same transaction.

What was applied stands in a table, and once more in the comment of that table, written by the same transaction: psql
reads a comment without executing any SQL of the caller's, so planning knows what is pending, and an outcome that was
lost can be found out.
"""

import re
import subprocess

from in_sqlite import MigrationError
from statements import stands_alone, statements

COMMENT = "srecodex applied:"
DIGEST_CHARS = 32
ALREADY = "srecodex: recorded already"

KINDS = (
    ("locked", ("55P03",)),
    ("timed out", ("57014",)),
    ("forbidden", ("42501",)),
    ("connection lost", ("57P01", "57P02", "57P03", "08000", "08003", "08006")),
    ("deadlock", ("40P01",)),
    ("serialization", ("40001",)),
    ("duplicate", ("23505", "42P07", "42701", "42710")),
)


class Postgres:
    def __init__(self, inputs):
        self.name = inputs.get("table", "schema_migrations")
        self.table = ".".join('"%s"' % part for part in self.name.split("."))
        self.folder = inputs["folder"]
        self.lock_seconds = inputs.get("lock_timeout_seconds", 5)
        self.statement_seconds = inputs.get("statement_timeout_seconds", 600)

    def psql(self, *words):
        # Behind the rest: srecodex adds the first ones itself.
        flags = ["-X", "-q", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose", "-v", "SHOW_CONTEXT=never"]
        try:
            done = subprocess.run(["psql", *words, *flags], stdin=subprocess.DEVNULL, capture_output=True)
        except OSError as error:
            raise MigrationError("no psql", "psql cannot be started: %s" % error.strerror) from None
        stdout, stderr = (stream.decode("utf-8", "replace") for stream in (done.stdout, done.stderr))
        if done.returncode != 0:
            raise self.failure(stderr, done.returncode)
        return stdout

    def recorded(self):
        """Beginnings of digests by version, from the comment of the table. Executes no SQL of ours."""
        row = self.psql("-F", "\t", "-c", r"\dt+ %s" % self.table).strip("\n")
        if not row:
            return {}
        comment = row.split("\t")[-1]
        if not comment.startswith(COMMENT):
            raise MigrationError("foreign table", "the table %s is there, and this skill did not make it" % self.name)
        return {int(version): digest for version, digest in re.findall(r"(\d+):([0-9a-f]+)", comment[len(COMMENT) :])}

    def apply(self, migration):
        """False where another runner was quicker."""
        alone = stands_alone(migration["text"])
        words = [] if alone else ["--single-transaction"]
        # Whoever approves a plan sees the beginning of a call: the file comes first.
        name = "/* %s */ " % migration["file"] if re.fullmatch(r"[\w.-]+", migration["file"]) else ""
        words += ["-c", name + self.limits("" if alone else "LOCAL ")]
        words += ["-c", "SELECT %s(hashtext('%s'))" % ("pg_advisory_lock" if alone else "pg_advisory_xact_lock", self.name)]
        words += ["-c", self.guard(migration), "-f", migration["path"], "-c", self.record(migration)]
        try:
            self.psql(*words)
            return True
        except MigrationError as error:
            if ALREADY in error.message:
                return False
            error.line = placed(error.line, migration["text"])
            raise

    def trial(self, migrations):
        """All of them in one transaction that is taken back; the one that fails, with its error, or None."""
        tried = [migration for migration in migrations if not stands_alone(migration["text"])]
        words = ["-c", "BEGIN", "-c", self.limits("LOCAL ")]
        words += ["-c", "SELECT pg_advisory_xact_lock(hashtext('%s'))" % self.name]
        for migration in tried:
            words += ["-f", migration["path"]]
        words += ["-c", "ROLLBACK"]
        try:
            self.psql(*words)
            return None
        except MigrationError as error:
            failed = next((one for one in tried if one["path"] == error.path), None)
            if failed:
                error.line = placed(error.line, failed["text"])
            elif error.kind not in ("locked", "forbidden", "timed out"):
                raise
            return failed or tried[0], error

    def limits(self, local):
        return "SET %slock_timeout = '%ds'; SET %sstatement_timeout = '%ds'" % (
            (local, self.lock_seconds, local, self.statement_seconds)
        )

    def guard(self, migration):
        """Another look at the table, under the lock."""
        return (
            "DO $srecodex$ BEGIN IF to_regclass('%s') IS NULL THEN CREATE TABLE %s (version bigint PRIMARY KEY,"
            " file text NOT NULL, sha256 text NOT NULL, at timestamptz NOT NULL DEFAULT now()); END IF;"
            " IF EXISTS (SELECT FROM %s WHERE version = %d) THEN RAISE EXCEPTION '%s'; END IF; END $srecodex$"
        ) % (self.table, self.table, self.table, migration["version"], ALREADY)

    def record(self, migration):
        quoted = migration["file"].replace("'", "''")
        row = "INSERT INTO %s (version, file, sha256) VALUES (%d, '%s', '%s')" % (
            (self.table, migration["version"], quoted, migration["sha256"])
        )
        comment = (
            "DO $srecodex$ BEGIN EXECUTE format('COMMENT ON TABLE %s IS %%L', (SELECT '%s' || string_agg("
            "' ' || version || ':' || left(sha256, %d), '' ORDER BY version) FROM %s)); END $srecodex$"
        ) % (self.table, COMMENT, DIGEST_CHARS, self.table)
        return "%s; %s" % (row, comment)

    def failure(self, stderr, code):
        """psql's words, without what it says of its own source."""
        found = re.search(r"^(?:psql:(?P<path>.*?):(?P<line>\d+): )?(?:ERROR|FATAL):  (?P<state>[0-9A-Z]{5}): (?P<words>.*)", stderr, re.M)
        if stderr.startswith("error["):
            words = stderr.split("\n", 1)[0]
            error = MigrationError("skipped" if "SKIPPED" in words or "DRIFTED" in words else "refused", words)
        elif found:
            state = found["state"]
            kind = next((kind for kind, states in KINDS if state in states), "sql")
            error = MigrationError(kind, found["words"], None, state)
            inner = re.search(r"^LINE (\d+):", stderr, re.M)
            error.line = (int(found["line"]), int(inner[1]) if inner else None) if found["line"] else None
            error.path = found["path"]
            return error
        else:
            lines = [line for line in stderr.strip().split("\n") if line.strip()]
            words = lines[0] if lines else "psql ended with %d" % code
            error = MigrationError("connection lost" if "connection" in stderr else "psql failed", words)
        error.path = None
        return error


def placed(line, text):
    """psql tells the line on which a statement ends, and the server one that counts from where it begins."""
    if line is None:
        return None
    told, inner = line
    begun = max((begin for begin, _statement in statements(text) if begin <= told), default=told)
    return begun + inner - 1 if inner is not None else begun
