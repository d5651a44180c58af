"""Migrations in a SQLite file: each with its record in one transaction, begun IMMEDIATE, which is the lock."""

import sqlite3
import time
from pathlib import Path

from statements import stands_alone, statements


class MigrationError(Exception):
    """`kind` for counting; where it is known, line and SQLSTATE."""

    def __init__(self, kind, message, line=None, sqlstate=None):
        super().__init__(message)
        self.kind, self.message, self.line, self.sqlstate = kind, message, line, sqlstate


class Sqlite:
    """Reads and writes happen at once: a file of the workspace needs no approval."""

    def __init__(self, inputs):
        self.path = Path(inputs["database"])
        self.table = ".".join('"%s"' % part for part in inputs.get("table", "schema_migrations").split("."))
        self.lock_seconds = inputs.get("lock_timeout_seconds", 5)
        self.statement_seconds = inputs.get("statement_timeout_seconds", 600)
        self.deadline = None

    def connect(self, write):
        if not self.path.exists() and not write:
            target, uri = ":memory:", False
        else:
            mode = "rwc" if write else "ro"
            target, uri = "%s?mode=%s" % (self.path.resolve().as_uri(), mode), True
        try:
            # isolation_level=None: sqlite3 opens no transaction of its own, and commits none behind our back.
            database = sqlite3.connect(target, uri=uri, timeout=self.lock_seconds, isolation_level=None)
        except sqlite3.Error as error:
            raise MigrationError("cannot open", "%s: %s" % (self.path, error)) from None
        database.set_progress_handler(lambda: self.deadline is not None and time.monotonic() > self.deadline, 10_000)
        return database

    def recorded(self):
        """Digests by version."""
        database = self.connect(write=False)
        try:
            return {version: digest for version, digest in database.execute("SELECT version, sha256 FROM %s" % self.table)}
        except sqlite3.Error as error:
            if "no such table" in str(error):
                return {}
            raise self.failure(error) from None
        finally:
            database.close()

    def apply(self, migration):
        """False where another runner was quicker."""
        database = self.connect(write=True)
        try:
            if stands_alone(migration["text"]):
                if self.has(database, migration):
                    return False
                self.execute(database, migration["text"])
                self.begin(database)
            else:
                self.begin(database)
                if self.has(database, migration):
                    database.execute("ROLLBACK")
                    return False
                self.execute(database, migration["text"])
            self.record(database, migration)
            database.execute("COMMIT")
            return True
        except sqlite3.Error as error:
            raise self.failure(error) from None
        finally:
            # What is not committed by then is rolled back.
            database.close()

    def trial(self, migrations):
        """Everything in one transaction that is taken back; the one that fails, with its error, or None."""
        database = self.connect(write=self.path.exists())
        migration = None
        try:
            self.begin(database)
            for migration in migrations:
                if not stands_alone(migration["text"]):
                    self.execute(database, migration["text"])
            database.execute("ROLLBACK")
            return None
        except sqlite3.Error as error:
            return migration or migrations[0], self.failure(error)
        except MigrationError as error:
            return migration, error
        finally:
            database.close()

    def begin(self, database):
        database.execute("BEGIN IMMEDIATE")
        database.execute(
            "CREATE TABLE IF NOT EXISTS %s (version INTEGER PRIMARY KEY, file TEXT, sha256 TEXT, at TEXT)" % self.table
        )

    def has(self, database, migration):
        try:
            rows = database.execute("SELECT 1 FROM %s WHERE version = ?" % self.table, [migration["version"]])
            return rows.fetchone() is not None
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return False
            raise

    def record(self, database, migration):
        row = [migration["version"], migration["file"], migration["sha256"]]
        database.execute("INSERT INTO %s VALUES (?, ?, ?, datetime('now'))" % self.table, row)

    def execute(self, database, text):
        for line, statement in statements(text):
            self.deadline = time.monotonic() + self.statement_seconds
            try:
                database.execute(statement)
            except sqlite3.Error as error:
                raise self.failure(error, line) from None
            finally:
                self.deadline = None

    def failure(self, error, line=None):
        words = str(error)
        if "locked" in words or "busy" in words:
            return MigrationError("locked", words, line)
        if "interrupted" in words:
            return MigrationError("timed out", "a statement took longer than %d s" % self.statement_seconds, line)
        if "readonly" in words or "read-only" in words or "unable to open" in words:
            return MigrationError("forbidden", words, line)
        return MigrationError("sql", words, line)
