#!/usr/bin/env python3
"""Deletes dead pods in number: Evicted, Failed, Succeeded; never a living one, never one that its owner still counts.

Inputs as a JSON object on stdin, outputs as one on stdout (both as SKILL.md has them), the log on stderr.

Which pods are meant is decided once, by uid, so that a plan, its apply and a resume mean the same ones. Each is looked
at again before its delete: the name of a StatefulSet's pod may belong to a healthy one by then.
"""

import json
import sys
import threading
from datetime import datetime, timezone

from srecodex import SrecodexError, artifact, each, once, progress

sys.dont_write_bytecode = True

from cluster import (  # noqa: E402
    IN_SANDBOX, NAME, PLANNING, REQUEST_SECONDS, KubectlError, change, decided, fail, listed, log, some,
)
from dead_pods import PHASES, UNITS, Lookup  # noqa: E402

RETRIES = 4
NAMES_SHOWN = 10


# --- one pod


class Cleanup:
    def __init__(self, chosen):
        self.uids = {record["pod"]: record["uid"] for record in chosen}
        self.phases = {record["pod"]: record["phase"] for record in chosen}
        self.ended = set()
        self.done = set()
        self.lock = threading.Lock()

    def delete(self, key):
        """`deleted`, or `gone` where somebody was quicker."""
        try:
            outcome = self.deleted(key)
            self.done.add(key)
            return outcome
        except SrecodexError as error:
            log("%s: %s: %s" % (key, error.code, error.message))
            raise
        finally:
            with self.lock:
                self.ended.add(key)
                progress(len(self.ended), len(self.uids), key)

    def deleted(self, key):
        try:
            pod = self.live(key)
        except KubectlError as error:
            raise error.failure() from None
        if pod is None:
            return "gone"
        if pod["status"].get("phase") != self.phases[key]:
            raise SrecodexError("changed", "it is %s now, and is left alone" % pod["status"].get("phase"))
        namespace, name = key.split("/")
        try:
            said = change(
                "delete", "pod", name, "--namespace=%s" % namespace, "--ignore-not-found", "--wait=false",
                "--request-timeout=%ds" % REQUEST_SECONDS,
            )
            return "deleted" if said.strip() else "gone"
        except KubectlError as error:
            if error.kind is not None:
                raise error.failure() from None
            log("%s: no answer to the delete: %s" % (key, error.words))
            if self.is_gone(key) is False:
                # Looked at, and still there: the host may grant another attempt.
                raise SrecodexError("no answer", error.words) from None
            return "deleted"

    def live(self, key):
        """The pod that was meant, as long as it is there and nobody is deleting it."""
        namespace, name = key.split("/")
        for pod in listed("pod", name, "--namespace=%s" % namespace, "--ignore-not-found"):
            if pod["metadata"]["uid"] == self.uids[key] and not pod["metadata"].get("deletionTimestamp"):
                return pod
        return None

    def is_gone(self, key):
        """Settles what nobody answered: gone, going, or another pod's name now. None: nobody can say."""
        try:
            return self.live(key) is None
        except KubectlError:
            return None


class Verdict:
    """What became of those that were deleted, from one listing after all of them; of any other by itself."""

    def __init__(self, cleanup, namespaces):
        self.cleanup = cleanup
        self.namespaces = namespaces
        self.lock = threading.Lock()
        self.alive = None

    def __call__(self, key):
        if key not in self.cleanup.done:
            return self.cleanup.is_gone(key)
        with self.lock:
            if self.alive is None:
                self.alive = self.look()
        namespace = key.split("/")[0]
        if self.alive.get(namespace) is None:
            return self.cleanup.is_gone(key)
        return self.cleanup.uids[key] not in self.alive[namespace]

    def look(self):
        alive = {}
        for namespace in self.namespaces:
            try:
                pods = listed("pods", "--namespace=%s" % namespace, "--field-selector=status.phase!=Running")
                alive[namespace] = {
                    pod["metadata"]["uid"] for pod in pods if not pod["metadata"].get("deletionTimestamp")
                }
            except KubectlError as error:
                log("%s: %s" % (namespace, error.words))
                alive[namespace] = None
        return alive


# --- the whole


def checked(inputs):
    if not isinstance(inputs, dict):
        fail("the inputs are a JSON object")
    namespace = inputs.get("namespace")
    if namespace is None and not inputs.get("all_namespaces"):
        fail("say where: namespace, or all_namespaces")
    if namespace is not None and not NAME.match(namespace):
        fail("%r is no namespace" % namespace)
    unknown = [state for state in inputs.get("states", []) if state not in PHASES]
    if unknown or inputs.get("states") == []:
        fail("states are some of %s" % ", ".join(PHASES))
    age = inputs.get("older_than", "1h")
    if not (isinstance(age, str) and age[:-1].isascii() and age[:-1].isdigit() and age[-1:] in UNITS):
        fail("%r is no age, such as 90m or 7d" % (age,))
    return inputs


def grouped_kept(records):
    reasons = {}
    for record in records:
        if record["kept"] is not None:
            reasons.setdefault(record["kept"], []).append(record["pod"])
    order = sorted(reasons.items(), key=lambda one: (-len(one[1]), one[0]))
    return [{"why": why, "count": len(pods), "pods": pods[:NAMES_SHOWN]} for why, pods in order]


def grouped_failures(failed):
    classes = {}
    for item in failed:
        error = item.error
        kind = error.code if isinstance(error, SrecodexError) else type(error).__name__
        classes.setdefault(kind, []).append(item.key)
    order = sorted(classes.items(), key=lambda one: (-len(one[1]), one[0]))
    return [{"class": kind, "count": len(pods), "pods": pods[:NAMES_SHOWN]} for kind, pods in order]


def looked_for(inputs):
    words = ["all namespaces" if inputs.get("namespace") is None else "namespace %s" % inputs["namespace"]]
    words.append("states %s" % ", ".join(inputs.get("states", ["Evicted", "Failed"])))
    for field in ("selector", "name_pattern"):
        if inputs.get(field) is not None:
            words.append("%s %s" % (field.replace("_", " "), inputs[field]))
    return "; ".join(words)


def summarized(inputs, result, denied, skipped):
    if result["matched"] == 0:
        lines = ["no dead pods: %s" % looked_for(inputs)]
    else:
        verb = "to delete" if PLANNING else "deleted"
        line = "%d of %d dead pods %s" % (result["deleted"], result["matched"], verb)
        for count, word in (
            (result["already_gone"], "gone already"), (result["failed"], "failed"), (result["unknown"], "unknown"),
            (skipped, "not in the plan"),
        ):
            line += ", %d %s" % (count, word) if count else ""
        kept = sum(one["count"] for one in result["kept"])
        if kept:
            why = some("%s: %d" % (one["why"], one["count"]) for one in result["kept"])
            line += ", %d kept (%s)" % (kept, why)
        lines = [line]
        if result["by_namespace"]:
            most = sorted(result["by_namespace"].items(), key=lambda one: (-one[1], one[0]))
            lines.append("most from %s" % some("%s (%d)" % one for one in most))
        lines += ["%s: %s" % (one["class"], some(one["pods"])) for one in result["failures"][:3]]
    if denied:
        lines.append("could not be listed (forbidden): %s" % some(denied))
    return "\n".join(lines)


def main():
    inputs = checked(json.load(sys.stdin))
    now = once("now", lambda: int(datetime.now(timezone.utc).timestamp()))
    try:
        choice = decided("pods", lambda: Lookup(inputs, now).choose())
    except KubectlError as error:
        fail(error.words)
    records = choice["pods"]
    chosen = [record for record in records if record["kept"] is None]
    most = inputs.get("max_delete", 500)
    if len(chosen) > most:
        fail("%d pods would be deleted, and max_delete is %d: nothing was deleted" % (len(chosen), most))
    if records:
        with open(artifact("pods.json"), "w", encoding="utf-8") as file:
            json.dump(records, file, indent=1, ensure_ascii=False)
    log("%d pods to delete, %d kept" % (len(chosen), len(records) - len(chosen)))
    cleanup = Cleanup(chosen)
    keys = [record["pod"] for record in chosen]
    verdict = Verdict(cleanup, sorted({key.split("/")[0] for key in keys}))
    done = each(keys, cleanup.delete, at_once=8, retries=RETRIES if IN_SANDBOX else 0, verify=verdict)
    gone = [item for item in done.ok if item.value == "gone"]
    by_namespace = {}
    for item in done.ok:
        if item.value != "gone":
            namespace = item.key.split("/")[0]
            by_namespace[namespace] = by_namespace.get(namespace, 0) + 1
    result = {
        "summary": "",
        "matched": len(records),
        "deleted": len(done.ok) - len(gone),
        "already_gone": len(gone),
        "failed": len(done.failed),
        "unknown": len(done.unknown),
        "kept": grouped_kept(records),
        "by_namespace": by_namespace,
        "failures": grouped_failures(done.failed),
    }
    result["summary"] = summarized(inputs, result, choice["denied"], len(done.skipped) + len(done.pending))
    json.dump(result, sys.stdout)
    print()


main()
