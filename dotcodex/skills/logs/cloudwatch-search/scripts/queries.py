"""Queries of Logs Insights: started, waited for, and stopped where nobody waits any more."""

import json
import threading
import time

from aws_cli import AwsError, Paced, aws
from srecodex import SrecodexError, progress

GROUPS_AT_ONCE = 50
ROWS_AT_MOST = 10_000
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10
# Below the skill's own time, so that there is some left to stop it in.
LONGEST_QUERY_SECONDS = 780
QUERIES_AT_ONCE = 4

# Set when the run is interrupted.
STOPPING = threading.Event()


def batches(names):
    return [tuple(names[start : start + GROUPS_AT_ONCE]) for start in range(0, len(names), GROUPS_AT_ONCE)]


class Queries:
    def __init__(self, query, window, top, in_region):
        self.query = query
        self.window = window
        self.top = top
        self.in_region = in_region
        self.keys = {}
        self.found = {}
        self.paced = {}

    def key(self, work):
        """Names each part of the work, and remembers the name."""
        for number, one in enumerate(work, 1):
            region = one[0]
            self.keys[one] = "%squery %d of %d" % ("" if region is None else region + "/", number, len(work))
            self.paced.setdefault(region, Paced(QUERIES_AT_ONCE))
        return self.keys.__getitem__

    def run(self, one):
        try:
            self.found[self.keys[one]] = self.paced[one[0]].call(lambda: self.ask(*one))
        except AwsError as error:
            raise SrecodexError(error.code, error.words) from None
        progress(len(self.found), len(self.keys), self.keys[one])

    def ask(self, region, names):
        if STOPPING.is_set():
            raise AwsError("interrupted", "the query was not started")
        # As JSON: a name may begin with a hyphen.
        words = ["--log-group-names=%s" % json.dumps(names)]
        words += ["--start-time=%d" % self.window[0], "--end-time=%d" % self.window[1]]
        limit = "--limit=%d" % min(self.top, ROWS_AT_MOST)
        started = aws("logs", "start-query", *words, self.query, limit, *self.in_region(region))
        query = "--query-id=%s" % started["queryId"]
        status = None
        try:
            pause, deadline = FIRST_PAUSE_SECONDS, time.monotonic() + LONGEST_QUERY_SECONDS
            while not STOPPING.wait(pause):
                told = aws("logs", "get-query-results", query, *self.in_region(region))
                status = told["status"]
                if status == "Complete":
                    return told
                if status in ("Failed", "Cancelled", "Timeout", "Unknown"):
                    raise AwsError("query %s" % status.lower(), "AWS ended the query: %s" % status)
                if time.monotonic() > deadline:
                    raise AwsError("timed out", "the query ran for %d s, and was stopped" % LONGEST_QUERY_SECONDS)
                pause = min(LONGEST_PAUSE_SECONDS, pause * 1.6)
            raise AwsError("interrupted", "the query was stopped")
        finally:
            if status in (None, "Scheduled", "Running"):
                self.stop(query, region)

    def stop(self, query, region):
        try:
            aws("logs", "stop-query", query, *self.in_region(region))
        except AwsError:
            pass  # it may just have ended; AWS ends it after an hour at the latest

    def result(self, work):
        rows, matched, scanned = [], 0, 0
        for one in work:
            told = self.found.get(self.keys[one])
            if told is None:
                continue
            for fields in told.get("results") or []:
                rows.append({field["field"]: field["value"] for field in fields if field["field"] != "@ptr"})
            statistics = told.get("statistics") or {}
            matched += int(statistics.get("recordsMatched", 0))
            scanned += int(statistics.get("bytesScanned", 0))
        return rows[: self.top], matched, scanned
