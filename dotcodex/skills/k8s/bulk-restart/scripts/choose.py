"""Which workloads a bulk restart means, by name, namespace, label, pattern or because their pods crash; and kubectl.

Reads alone. A namespace that may not be listed is told, and the others go on.
"""

import fnmatch
import json
import re
import subprocess
from datetime import datetime

from srecodex import SrecodexError

KINDS = ("deployment", "statefulset", "daemonset")
SYSTEM_NAMESPACES = ("kube-system", "kube-public", "kube-node-lease")
RECENT_SECONDS = 600
NAMES_AT_ONCE = 100

# What the server, or kubectl before it asked, says no to: nothing was changed.
DEFINITE = (
    ("forbidden", r"\(Forbidden\)| is forbidden: "),
    ("not found", r"\(NotFound\)|\" not found"),
    ("throttled", r"TooManyRequests|[Tt]oo many requests"),
    ("conflict", r"\(Conflict\)|object has been modified|within the past second"),
    ("paused", r"can't restart paused"),
    ("expired login", r"must be logged in|\(Unauthorized\)"),
    ("refused", r"^error\["),
)
class KubectlError(Exception):
    def __init__(self, stderr, code):
        lines = [line for line in stderr.strip().split("\n") if line.strip()]
        # kubectl's last word, but the first line of what the broker refuses: the rest is its hint.
        self.words = (lines[0] if lines[0].startswith("error[") else lines[-1]) if lines else "exit %d" % code
        self.kind = next((kind for kind, sign in DEFINITE if re.search(sign, stderr, re.M)), None)
        super().__init__(self.words)

    def failure(self):
        return SrecodexError(self.kind or "kubectl failed", self.words)


def kubectl(*args):
    done = subprocess.run(
        ["kubectl", *args],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode != 0:
        raise KubectlError(done.stderr, done.returncode)
    return done.stdout


def listed(*args):
    """Objects of a `get`: none, one, or a list."""
    text = kubectl("get", *args, "--output=json")
    if not text.strip():
        return []
    found = json.loads(text)
    return found["items"] if found.get("kind", "").endswith("List") else [found]


def key_of(kind, workload):
    return "%s/%s/%s" % (workload["metadata"]["namespace"], kind, workload["metadata"]["name"])


class Lookup:
    """Lists what the choices name, and remembers which namespaces could not be listed."""

    def __init__(self, inputs, started):
        self.inputs = inputs
        self.started = started
        self.denied = {}
        self.allowed = False

    def list(self, namespace, *args):
        where = "--all-namespaces" if namespace is None else "--namespace=%s" % namespace
        try:
            found = listed(*args, where)
        except KubectlError as error:
            if error.kind != "forbidden":
                raise
            self.denied.setdefault(namespace, error.words)
            return None
        self.allowed = True
        return found

    def choose(self):
        inputs = self.inputs
        exact = inputs.get("workloads")
        found, missing = self.by_name(exact) if exact is not None else (self.by_namespace(), [])
        if self.denied and not self.allowed:
            raise KubectlError(next(iter(self.denied.values())), 1)
        pattern = inputs.get("name_pattern")
        if pattern is not None:
            found = {key: one for key, one in found.items() if fnmatch.fnmatchcase(key.split("/")[2], pattern)}
            missing = [key for key in missing if fnmatch.fnmatchcase(key.split("/")[2], pattern)]
        if inputs.get("crashing"):
            crashing = self.crashing({key.split("/")[0] for key in found})
            found = {key: one for key, one in found.items() if key in crashing}
            missing = []
        chosen, skipped = [], []
        for key in sorted({**found, **dict.fromkeys(missing)}):
            why = self.excluded(key) or (left_alone(key, found[key]) if key in found else None)
            if why is None:
                chosen.append(key)
            else:
                skipped.append({"workload": key, "why": why})
        denied = sorted(namespace or "all namespaces" for namespace in self.denied)
        return {"chosen": chosen, "skipped": skipped, "denied": denied}

    def excluded(self, key):
        pattern = next((one for one in self.inputs.get("exclude", []) if fnmatch.fnmatchcase(key, one)), None)
        return None if pattern is None else "excluded by %s" % pattern

    def selector(self):
        selector = self.inputs.get("selector")
        return [] if selector is None else ["--selector=%s" % selector]

    def kinds(self):
        return [kind for kind in KINDS if kind in self.inputs.get("kinds", KINDS)]

    def by_namespace(self):
        namespace = self.inputs.get("namespace")
        if namespace is not None:
            return self.inside([namespace])
        found = self.inside([None])
        if self.denied:
            # Not everywhere at once: perhaps one by one.
            names = [one["metadata"]["name"] for one in self.list(None, "namespaces") or []]
            if names:
                self.denied.clear()
                self.allowed = False
                found = self.inside([name for name in names if name not in SYSTEM_NAMESPACES])
        return {key: one for key, one in found.items() if key.split("/")[0] not in SYSTEM_NAMESPACES}

    def inside(self, namespaces):
        found = {}
        for namespace in namespaces:
            for kind in self.kinds():
                for one in self.list(namespace, kind + "s", *self.selector()) or []:
                    found[key_of(kind, one)] = one
        return found

    def by_name(self, exact):
        """Those of a list; what cannot be seen is tried all the same, and fails by itself."""
        groups = {}
        for key in exact:
            namespace, kind, name = key.split("/")
            only = self.inputs.get("namespace")
            if kind in self.kinds() and only in (None, namespace):
                groups.setdefault((namespace, kind), []).append(name)
        found, missing = {}, []
        for (namespace, kind), names in sorted(groups.items()):
            names = sorted(set(names))
            if self.selector():
                seen = self.list(namespace, kind + "s", *self.selector()) or []
            else:
                seen = []
                for start in range(0, len(names), NAMES_AT_ONCE):
                    part = names[start : start + NAMES_AT_ONCE]
                    seen += self.list(namespace, kind + "s", *part, "--ignore-not-found") or []
            here = {key_of(kind, one): one for one in seen if one["metadata"]["name"] in names}
            found.update(here)
            if not self.selector():
                missing += [key for key in ("%s/%s/%s" % (namespace, kind, name) for name in names) if key not in here]
        # Whoever may not read a workload by name may still be allowed to restart it.
        self.allowed = self.allowed or bool(missing)
        return found, missing

    def crashing(self, namespaces):
        # One listing of everything, or one of each namespace that matters.
        everywhere = len(namespaces) > 3 and self.inputs.get("namespace") is None
        pods = self.list(None, "pods") if everywhere else None
        if pods is None:
            self.denied.pop(None, None)
            several = [self.list(namespace, "pods") for namespace in sorted(namespaces)]
            if several and all(each is None for each in several):
                raise KubectlError(next(iter(self.denied.values())), 1)
            pods = [pod for some in several for pod in some or []]
        return {owner_of(pod) for pod in pods if self.crashes(pod)}

    def crashes(self, pod):
        """By the whole status: a loop shows Error, OOMKilled, Running and CrashLoopBackOff in turn."""
        if pod["metadata"].get("deletionTimestamp"):
            return False
        status = pod.get("status", {})
        for field in ("initContainerStatuses", "containerStatuses"):
            for container in status.get(field) or []:
                state = container.get("state") or {}
                again = container.get("restartCount", 0) > 0
                if (state.get("waiting") or {}).get("reason") == "CrashLoopBackOff":
                    return True
                ended = state.get("terminated")
                # An init container that is through at last is not one that crashes.
                if ended and again and (field == "containerStatuses" or ended.get("exitCode") != 0):
                    return True
                running = state.get("running")
                last = (container.get("lastState") or {}).get("terminated")
                if running and again and last and last.get("exitCode") != 0:
                    if self.started - seconds_of(running.get("startedAt")) < RECENT_SECONDS:
                        return True
        return False


def left_alone(key, workload):
    """Why a restart is not possible, or would replace no pod; else None."""
    spec = workload["spec"]
    kind = key.split("/")[1]
    if kind == "deployment" and spec.get("paused"):
        return "paused"
    if kind != "daemonset" and spec.get("replicas", 1) == 0:
        return "zero replicas"
    if kind != "deployment" and (spec.get("updateStrategy") or {}).get("type") == "OnDelete":
        return "updateStrategy OnDelete: a restart would replace no pod"
    return None


def owner_of(pod):
    meta = pod["metadata"]
    owner = next((one for one in meta.get("ownerReferences") or [] if one.get("controller")), None)
    if owner is None:
        return None
    kind, name = owner["kind"].lower(), owner["name"]
    hash_suffix = "-" + (meta.get("labels") or {}).get("pod-template-hash", "")
    if kind == "replicaset" and len(hash_suffix) > 1 and name.endswith(hash_suffix):
        kind, name = "deployment", name[: -len(hash_suffix)]
    return "%s/%s/%s" % (meta["namespace"], kind, name)


def seconds_of(text):
    if not text:
        return 0.0
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
