"""Which pods are dead, and which of those somebody still needs. Reads alone.

A namespace that may not be listed is told, and the others go on.
"""

import fnmatch
from datetime import datetime

from cluster import KubectlError, controller_of, fail, listed, log

PHASES = {"Evicted": "Failed", "Failed": "Failed", "Succeeded": "Succeeded"}
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
# Their controllers make a new pod for a dead one and forget it. What others count is not known here.
FORGETFUL = ("ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet")
MESSAGE_CHARS = 160


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
