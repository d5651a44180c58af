#!/usr/bin/env python3
"""Deletes dead pods in number: Evicted, Failed, Succeeded; never a living one, never one that its owner still counts.

Inputs as a JSON object on stdin, outputs as one on stdout (both as SKILL.md has them), the log on stderr.

Which pods are meant is decided once, by uid, so that a plan, its apply and a resume mean the same ones. Each is looked
at again before its delete: the name of a StatefulSet's pod may belong to a healthy one by then.
"""

import fnmatch
import json
import sys
import threading
from datetime import datetime, timezone

from srecodex import SrecodexError, artifact, each, once, progress

sys.dont_write_bytecode = True

from cluster import (  # noqa: E402
    IN_SANDBOX, NAME, PLANNING, REQUEST_SECONDS, KubectlError, change, controller_of, decided, fail, listed, log, some,
)

RETRIES = 4
PHASES = {"Evicted": "Failed", "Failed": "Failed", "Succeeded": "Succeeded"}
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
# Their controllers make a new pod for a dead one and forget it. What others count is not known here.
FORGETFUL = ("ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet")
NAMES_SHOWN = 10
MESSAGE_CHARS = 160


# --- which pods


class Lookup:
    """Lists what the inputs describe, and remembers which namespaces could not be listed."""

    def __init__(self, inputs, now):
        self.inputs = inputs
        self.now = now
        self.denied = {}
        self.answered = False

    def list(self, namespace, *args):
        where = "--all-namespaces" if namespace is None else "--namespace=%s" % namespace
        try:
            found = listed(*args, where)
        except KubectlError as error:
            if error.kind != "forbidden":
                raise
            self.denied.setdefault(namespace, error.words)
            return None
        self.answered = True
        return found

    def choose(self):
        pods = self.pods()
        if self.denied and not self.answered:
            fail(next(iter(self.denied.values())))
        jobs = self.jobs({pod["metadata"]["namespace"] for pod in pods if owner_kind(pod) == "Job"})
        records = []
        for pod in sorted(pods, key=key_of):
            owner = controller_of(pod)
            records.append(
                {
                    "pod": key_of(pod),
                    "uid": pod["metadata"]["uid"],
                    "phase": pod["status"]["phase"],
                    "state": state_of(pod),
                    "message": (pod["status"].get("message") or "")[:MESSAGE_CHARS],
                    "node": pod["spec"].get("nodeName"),
                    "owner": "%s/%s" % (owner["kind"], owner["name"]) if owner else None,
                    "ended": ended_at(pod),
                    "kept": self.why_kept(pod, owner, jobs),
                }
            )
        return {"pods": records, "denied": sorted(namespace or "all namespaces" for namespace in self.denied)}

    def pods(self):
        namespace = self.inputs.get("namespace")
        if namespace is not None:
            return self.dead(namespace)
        found = self.dead(None)
        if not self.denied:
            return found
        # Not everywhere at once: perhaps one by one.
        names = [one["metadata"]["name"] for one in self.list(None, "namespaces") or []]
        if not names:
            return []
        self.denied.clear()
        self.answered = False
        return [pod for name in names for pod in self.dead(name)]

    def dead(self, namespace):
        states = self.inputs.get("states", ["Evicted", "Failed"])
        pattern, selector = self.inputs.get("name_pattern"), self.inputs.get("selector")
        found = []
        for phase in sorted({PHASES[state] for state in states}):
            words = ["pods", "--field-selector=status.phase=%s" % phase]
            words += [] if selector is None else ["--selector=%s" % selector]
            found += self.list(namespace, *words) or []
        return [
            pod
            for pod in found
            if (state_of(pod) in states or pod["status"]["phase"] in states)
            and (pattern is None or fnmatch.fnmatchcase(pod["metadata"]["name"], pattern))
        ]

    def jobs(self, namespaces):
        """Whether each Job has finished, by namespace/name; a namespace that cannot be listed is absent."""
        finished = {}
        if not self.inputs.get("include_jobs"):
            return finished
        for namespace in sorted(namespaces):
            try:
                found = listed("jobs", "--namespace=%s" % namespace)
            except KubectlError as error:
                if error.kind != "forbidden":
                    raise
                log("%s: Jobs cannot be listed: %s" % (namespace, error.words))
                continue
            finished[namespace] = None
            for job in found:
                ends = [one for one in job.get("status", {}).get("conditions") or [] if one.get("status") == "True"]
                over = any(one["type"] in ("Complete", "Failed") for one in ends)
                finished["%s/%s" % (namespace, job["metadata"]["name"])] = over
        return finished

    def why_kept(self, pod, owner, jobs):
        meta = pod["metadata"]
        if meta.get("deletionTimestamp"):
            return "being deleted already"
        if (meta.get("annotations") or {}).get("kubernetes.io/config.mirror") or (owner and owner["kind"] == "Node"):
            return "static pod"
        if owner is None and not self.inputs.get("include_bare"):
            return "bare pod"
        if owner is not None and owner["kind"] == "Job":
            if not self.inputs.get("include_jobs"):
                return "pod of a Job"
            if meta["namespace"] not in jobs:
                return "its Job cannot be looked at"
            # A Job that is gone counts nothing any more.
            if jobs.get("%s/%s" % (meta["namespace"], owner["name"])) is False:
                return "its Job still runs"
        elif owner is not None and owner["kind"] not in FORGETFUL:
            return "owned by a %s, which may count it" % owner["kind"]
        # A skewed clock, or an end in the future, makes a pod young, never old.
        if self.now - seconds_of(ended_at(pod)) < age_seconds(self.inputs.get("older_than", "1h")):
            return "younger than %s" % self.inputs.get("older_than", "1h")
        return None


def key_of(pod):
    return "%s/%s" % (pod["metadata"]["namespace"], pod["metadata"]["name"])


def owner_kind(pod):
    return (controller_of(pod) or {}).get("kind")


def state_of(pod):
    phase = pod.get("status", {}).get("phase", "Unknown")
    return "Evicted" if phase == "Failed" and pod["status"].get("reason") == "Evicted" else phase


def ended_at(pod):
    status = pod.get("status", {})
    containers = (status.get("initContainerStatuses") or []) + (status.get("containerStatuses") or [])
    ends = [((one.get("state") or {}).get("terminated") or {}).get("finishedAt") for one in containers]
    # RFC 3339 in UTC compares as text.
    return max([end for end in ends if end], default=pod["metadata"]["creationTimestamp"])


def seconds_of(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def age_seconds(words):
    return int(words[:-1]) * UNITS[words[-1]]


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
