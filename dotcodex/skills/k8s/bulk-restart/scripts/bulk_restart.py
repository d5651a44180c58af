#!/usr/bin/env python3
"""Rolling restart of many workloads: one, then a few, then the rest; stops when too many do not come back.

Inputs as a JSON object on stdin, outputs as one on stdout (both as SKILL.md has them), the log on stderr.

What is restarted is decided once, so that a plan, its apply and a resume mean the same workloads and the same restart.
A restart whose answer was lost is never repeated blindly: the `restartedAt` of the template decides.
"""

import json
import os
import re
import sys
import time
from datetime import datetime, timezone

from srecodex import SrecodexError, each, once, progress

sys.dont_write_bytecode = True

from choose import KINDS, KubectlError, Lookup, kubectl, listed, seconds_of  # noqa: E402

RETRIES = 4
PIECE_CHARS = 100_000
NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?\Z")
PREFIX = os.environ.get("SRECODEX_PREFIX", "")
PLANNING = os.environ.get("SRECODEX_PHASE") == "plan"
# In a sandbox the host grants retries: it knows whether a call changed anything. By hand nobody does it but this.
ATTEMPTS = 1 if os.environ.get("SRECODEX_SOCKET") else RETRIES + 1

AGAIN = ("throttled", "conflict")


def log(words):
    print(words, file=sys.stderr, flush=True)


def fail(words):
    log("error: %s" % words)
    sys.exit(1)


def decided(name, make):
    """`once` for JSON that may be longer than one decision can be."""
    made = []

    def piece(index):
        if not made:
            text = json.dumps(make(), separators=(",", ":"))
            made.extend(text[start : start + PIECE_CHARS] for start in range(0, len(text), PIECE_CHARS))
        return made[index]

    first = once(name, lambda: {"text": piece(0), "pieces": len(made)})
    rest = [once("%s/%d" % (name, index), lambda i=index: piece(i)) for index in range(1, first["pieces"])]
    return json.loads(first["text"] + "".join(rest))


# --- one restart


class Restarts:
    def __init__(self, inputs, started, total):
        self.timeout = inputs.get("rollout_timeout_seconds", 300)
        self.started = started
        self.total = total
        self.through = set()
        self.ended = set()

    def restart(self, key):
        namespace, kind, name = key.split("/")
        target, where = "%s/%s" % (kind, name), "--namespace=%s" % namespace
        try:
            if self.ask(target, where):
                self.wait(key, target, where)
                self.through.add(key)
        except SrecodexError as error:
            log("%s: %s: %s" % (key, error.code, error.message))
            raise
        finally:
            self.ended.add(key)
            progress(len(self.ended), self.total, key)

    def ask(self, target, where):
        """True where the server took it; False where its answer was lost, which `settle` finds out about."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                kubectl("rollout", "restart", target, where)
                return True
            except KubectlError as error:
                if error.kind is None:
                    log("%s: no answer to the restart: %s" % (target, error.words))
                    return False
                if error.kind not in AGAIN or attempt == ATTEMPTS:
                    raise error.failure() from None
                time.sleep(1.1 * attempt)

    def wait(self, key, target, where):
        try:
            kubectl("rollout", "status", target, where, "--timeout=%ds" % self.timeout)
        except KubectlError as error:
            if error.kind is not None:
                raise error.failure() from None
            reason = pods_reason(key)
            raise SrecodexError("not rolled out: %s" % reason, error.words) from None

    def settle(self, key):
        """Did the restart of this run reach the server, and is it through? None: nobody can say."""
        if key in self.through:
            return True
        namespace, kind, name = key.split("/")
        target, where = "%s/%s" % (kind, name), "--namespace=%s" % namespace
        try:
            workload = listed(target, where)[0]
            template = workload["spec"]["template"].get("metadata") or {}
            at = (template.get("annotations") or {}).get("kubectl.kubernetes.io/restartedAt")
            if at is None or seconds_of(at) < self.started:
                return False
            kubectl("rollout", "status", target, where, "--timeout=%ds" % self.timeout)
        except (KubectlError, IndexError):
            return None
        return True


def pods_reason(key):
    """What holds a rollout up, by its pods: the commonest."""
    namespace, kind, name = key.split("/")
    try:
        workload = listed("%s/%s" % (kind, name), "--namespace=%s" % namespace)[0]
        pods = listed("pods", "--namespace=%s" % namespace, "--selector=%s" % selector_text(workload["spec"]["selector"]))
    except (KubectlError, IndexError):
        return "pods cannot be read"
    reasons = [reason for reason in map(pod_reason, pods) if reason is not None]
    return max(sorted(set(reasons)), key=reasons.count) if reasons else "timed out"


def selector_text(selector):
    parts = ["%s=%s" % one for one in sorted((selector.get("matchLabels") or {}).items())]
    for one in selector.get("matchExpressions") or []:
        key, operator, values = one["key"], one["operator"], ",".join(one.get("values") or [])
        plain = {"Exists": key, "DoesNotExist": "!" + key}
        parts.append(plain.get(operator) or "%s %s (%s)" % (key, operator.lower(), values))
    return ",".join(parts)


def pod_reason(pod):
    status = pod.get("status", {})
    conditions = {one["type"]: one for one in status.get("conditions") or []}
    if conditions.get("Ready", {}).get("status") == "True" or pod["metadata"].get("deletionTimestamp"):
        return None
    if conditions.get("PodScheduled", {}).get("reason") == "Unschedulable":
        return "unschedulable"
    for container in (status.get("initContainerStatuses") or []) + (status.get("containerStatuses") or []):
        state = container.get("state") or {}
        told = state.get("waiting") or state.get("terminated") or {}
        if told.get("reason") not in (None, "Completed", "PodInitializing"):
            return told["reason"]
    return status.get("reason") or "not ready"


# --- the whole


def checked(inputs):
    if not isinstance(inputs, dict):
        fail("the inputs are a JSON object")
    if not any(field in inputs for field in ("workloads", "namespace", "all_namespaces")):
        fail("say which workloads: workloads, namespace or all_namespaces")
    narrow = [inputs.get("workloads"), inputs.get("namespace"), inputs.get("selector"), inputs.get("name_pattern")]
    if not inputs.get("crashing") and all(one is None for one in narrow):
        fail("all_namespaces needs selector, name_pattern or crashing")
    if inputs.get("workloads") is None and inputs.get("namespace") is None and not inputs.get("all_namespaces"):
        fail("say which workloads: workloads, namespace or all_namespaces")
    for workload in inputs.get("workloads") or []:
        parts = workload.split("/")
        if len(parts) != 3 or parts[1] not in KINDS or not all(NAME.match(part) for part in parts):
            fail("%r is no namespace/kind/name" % workload)
    namespace = inputs.get("namespace")
    if namespace is not None and not NAME.match(namespace):
        fail("%r is no namespace" % namespace)
    return inputs


def looked_for(inputs):
    words = []
    for field in ("namespace", "selector", "name_pattern"):
        if inputs.get(field) is not None:
            words.append("%s %s" % (field.replace("_", " "), inputs[field]))
    if inputs.get("workloads") is not None:
        words.append("%d named workloads" % len(inputs["workloads"]))
    elif inputs.get("all_namespaces") and inputs.get("namespace") is None:
        words.insert(0, "all namespaces")
    if inputs.get("crashing"):
        words.append("crashing")
    return ", ".join(words)


def grouped(failed):
    classes = {}
    for item in failed:
        error = item.error
        kind = error.code if isinstance(error, SrecodexError) else type(error).__name__
        classes.setdefault(kind, []).append(item.key)
    order = sorted(classes.items(), key=lambda one: (-len(one[1]), one[0]))
    return [{"class": kind, "count": len(keys), "workloads": keys} for kind, keys in order]


def some(keys):
    more = ["%d more" % (len(keys) - 3)] if len(keys) > 3 else []
    return ", ".join(list(keys[:3]) + more)


def summarized(inputs, result, denied, failures, unknown):
    if result["total"] == 0:
        lines = ["nothing to restart: no workload found for %s" % looked_for(inputs)]
    else:
        verb = "to restart" if PLANNING else "restarted"
        line = "%d of %d workloads %s" % (result["restarted"], result["total"], verb)
        for count, word in ((result["failed"], "failed"), (result["unknown"], "unknown")):
            line += ", %d %s" % (count, word) if count else ""
        if result["skipped"]:
            reasons = sorted({one["why"] for one in result["skipped"]})
            line += ", %d left alone (%s)" % (len(result["skipped"]), some(reasons))
        lines = [line + ("; stopped early: too many failures" if result["stopped_early"] else "")]
        told = ["%s: %s" % (one["class"], some(one["workloads"])) for one in failures[:3]]
        if unknown:
            told.append("outcome unknown: %s" % some(unknown))
        if told:
            lines.append("; ".join(told))
    if denied:
        lines.append("could not be listed (forbidden): %s" % some(denied))
    return "\n".join(lines)


def main():
    inputs = checked(json.load(sys.stdin))
    # Whole seconds, as restartedAt has them.
    started = once(PREFIX + "started", lambda: int(datetime.now(timezone.utc).timestamp()))
    try:
        choice = decided(PREFIX + "workloads", lambda: Lookup(inputs, started).choose())
    except KubectlError as error:
        fail(error.words)
    log("%d workloads to restart, %d left alone" % (len(choice["chosen"]), len(choice["skipped"])))
    restarts = Restarts(inputs, started, len(choice["chosen"]))
    done = each(
        choice["chosen"],
        restarts.restart,
        at_once=inputs.get("at_once", 8),
        waves=inputs.get("waves", [1, 5, "100%"]),
        max_failures=inputs.get("max_failures", 3),
        retries=RETRIES,
        verify=restarts.settle,
    )
    skipped = list(choice["skipped"])
    skipped += [{"workload": item.key, "why": str(item.error or "not in the plan")} for item in done.skipped]
    skipped += [{"workload": item.key, "why": "not started"} for item in done.pending]
    failures = grouped(done.failed)
    result = {
        "summary": "",
        "total": len(choice["chosen"]) + len(choice["skipped"]),
        "restarted": len(done.ok),
        "failed": len(done.failed),
        "unknown": len(done.unknown),
        "skipped": skipped,
        "failures": failures,
        "stopped_early": bool(done.pending),
    }
    result["summary"] = summarized(inputs, result, choice["denied"], failures, [item.key for item in done.unknown])
    json.dump(result, sys.stdout)
    print()


main()
