#!/usr/bin/env python3
"""Every pod in a crash loop, whatever the loop shows at the moment, grouped by what its containers die of.

Inputs as a JSON object on stdin, outputs as one on stdout (both as SKILL.md has them), the log on stderr.

Reads alone, and afresh at every run: nothing is taken over from an earlier one. What the pods logged is masked in the
result; the raw ends of the logs go to the artifact crash-logs.jsonl.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

from srecodex import artifact, progress

sys.dont_write_bytecode = True

from causes import NEXT, cause_of, ended, log_line, looping, reason_not_started  # noqa: E402
from cluster import NAME, KubectlError, controller_of, fail, kubectl, listed, log, some  # noqa: E402

AT_ONCE = 8
LOG_SECONDS = 10
LOG_BYTES = 1_000_000
CAUSES_SHOWN = 6


class Lookup:
    """Lists pods and what owns them; a namespace that cannot be listed is told, and the others go on."""

    def __init__(self, inputs):
        self.inputs = inputs
        self.unreadable = {}

    def pods(self):
        selector = self.inputs.get("selector")
        words = ["pods"] + ([] if selector is None else ["--selector=%s" % selector])
        namespace = self.inputs.get("namespace")
        if namespace is not None:
            return listed(*words, "--namespace=%s" % namespace)
        try:
            return listed(*words, "--all-namespaces")
        except KubectlError as error:
            if error.kind != "forbidden":
                raise
            everywhere = error
        # Not everywhere at once: perhaps one by one.
        try:
            names = [one["metadata"]["name"] for one in listed("namespaces")]
        except KubectlError:
            raise everywhere from None
        found = []
        for name in names:
            try:
                found += listed(*words, "--namespace=%s" % name)
            except KubectlError as error:
                self.unreadable[name] = error.words
        if len(self.unreadable) == len(names):
            raise everywhere
        return found

    def quietly(self, *words):
        """What helps to understand, and may be missing: everything at once, or namespace by namespace."""
        namespaces = self.namespaces
        try:
            if self.inputs.get("namespace") is None:
                return listed(*words, "--all-namespaces")
        except KubectlError as error:
            log("%s: %s" % (words[0], error.words))
        found = []
        for namespace in namespaces:
            try:
                found += listed(*words, "--namespace=%s" % namespace)
            except KubectlError as error:
                log("%s in %s: %s" % (words[0], namespace, error.words))
        return found

    namespaces = ()


def workload_of(pod, deployments):
    namespace, owner = pod["metadata"]["namespace"], controller_of(pod)
    if owner is None:
        return "%s/pod/%s" % (namespace, pod["metadata"]["name"])
    kind, name = owner["kind"].lower(), owner["name"]
    if kind == "replicaset":
        above = deployments.get((namespace, name))
        if above is not None:
            return "%s/%s/%s" % (namespace, above["kind"].lower(), above["name"])
        # ReplicaSets may not be listed: the hash in the name says as much.
        suffix = "-" + ((pod["metadata"].get("labels") or {}).get("pod-template-hash") or "")
        if len(suffix) > 1 and name.endswith(suffix):
            return "%s/deployment/%s" % (namespace, name[: -len(suffix)])
    return "%s/%s/%s" % (namespace, kind, name)


class Logs:
    """The end of the log of one pod for each workload, container and image: its replicas die of one thing."""

    def __init__(self, inputs):
        self.lines = inputs.get("log_lines", 50)
        self.refused = None

    def read(self, pod, name):
        where = [
            pod["metadata"]["name"], "--namespace=%s" % pod["metadata"]["namespace"], "--container=%s" % name,
            "--tail=%d" % self.lines, "--limit-bytes=%d" % LOG_BYTES, "--request-timeout=%ds" % LOG_SECONDS,
        ]
        # Where the kubelet has removed the container before, the present one may have said it again.
        for previous in (["--previous"], []):
            try:
                text = kubectl("logs", *where, *previous)
            except KubectlError as error:
                if error.kind == "forbidden":
                    self.refused = error.words
                    return ""
                if error.passing:
                    log("%s: no log: %s" % (pod["metadata"]["name"], error.words))
                    return ""
                continue
            if text.strip():
                return text
        return ""


def examined(crashes, inputs):
    """The text that each (workload, container, image) left."""
    texts = {}
    if not inputs.get("logs", True):
        return texts, None
    first = {}
    for crash in crashes:
        # A process that was killed for its memory has had no last word.
        if crash["end"].get("reason") != "OOMKilled":
            first.setdefault(crash["group"], crash)
    logs = Logs(inputs)

    def read(crash):
        text = "" if logs.refused else logs.read(crash["pod"], crash["container"]["name"])
        texts[crash["group"]] = text
        progress(len(texts), len(first), crash["workload"])

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(read, first.values()))
    if any(texts.values()):
        with open(artifact("crash-logs.jsonl"), "w", encoding="utf-8") as file:
            for (workload, container, image), text in sorted(texts.items()):
                record = {"workload": workload, "container": container, "image": image, "log": text}
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
    return texts, logs.refused


def probed(events):
    """Uids of pods whose liveness or startup probe failed."""
    return {
        (event.get("involvedObject") or event.get("regarding") or {}).get("uid")
        for event in events
        if (event.get("message") or event.get("note") or "").startswith(("Liveness probe", "Startup probe"))
    }


def grouped(crashes, texts, killed_by_probe):
    groups = {}
    for crash in crashes:
        line = log_line(texts.get(crash["group"], ""))
        by_probe = crash["pod"]["metadata"]["uid"] in killed_by_probe
        cause = cause_of(crash["end"], crash["container"], line, by_probe)
        groups.setdefault((cause, crash["end"].get("exitCode"), line), []).append(crash)
    causes = []
    for (cause, code, line), members in groups.items():
        causes.append(
            {
                "cause": cause,
                "exit_code": code,
                "last_log_line": line,
                "pods": len({crash["pod"]["metadata"]["uid"] for crash in members}),
                "workloads": sorted({crash["workload"] for crash in members}),
                "since": min(crash["pod"]["metadata"]["creationTimestamp"] for crash in members),
                "next": NEXT[cause],
            }
        )
    return sorted(causes, key=lambda one: (-one["pods"], one["cause"], one["last_log_line"], one["workloads"]))


def place(inputs):
    where = "all namespaces" if inputs.get("namespace") is None else inputs["namespace"]
    return where if inputs.get("selector") is None else "%s, selector %s" % (where, inputs["selector"])


def summarized(inputs, result, listed_pods, waiting, refused):
    causes = result["causes"]
    if not causes:
        lines = ["no pod is in a crash loop: %d pods looked at in %s" % (listed_pods, place(inputs))]
    else:
        lines = [
            "%d of %d pods crash, of %d workloads, for %d causes"
            % (result["pods"], listed_pods, result["workloads"], len(causes))
        ]
        for one in causes[:CAUSES_SHOWN]:
            code = "" if one["exit_code"] is None else " (exit %d)" % one["exit_code"]
            line = ": %s" % one["last_log_line"] if one["last_log_line"] else ""
            lines.append("%d %s%s%s: %s" % (one["pods"], one["cause"], code, line, some(one["workloads"], 2)))
        if len(causes) > CAUSES_SHOWN:
            lines.append("… and %d more causes" % (len(causes) - CAUSES_SHOWN))
    if waiting:
        reasons = sorted(waiting.items(), key=lambda one: (-one[1], one[0]))
        told = some("%s x%d" % one for one in reasons)
        lines.append("not counted, they cannot start: %s; see k8s/health-check" % told)
    if refused:
        lines.append("by exit code alone where logs may not be read: %s" % refused)
    if result["unreadable"]:
        lines.append("unreadable: %s" % some(result["unreadable"]))
    return "\n".join(lines)


def main():
    inputs = json.load(sys.stdin)
    if not isinstance(inputs, dict):
        fail("the inputs are a JSON object")
    namespace = inputs.get("namespace")
    if namespace is not None and not NAME.match(namespace):
        fail("%r is no namespace" % namespace)
    if namespace is None and not inputs.get("all_namespaces", True):
        fail("say where: namespace, or all_namespaces")
    lookup = Lookup(inputs)
    try:
        pods = lookup.pods()
    except KubectlError as error:
        fail(error.words)
    now = datetime.now(timezone.utc).timestamp()
    found, waiting = [], {}
    for pod in pods:
        if pod["metadata"].get("deletionTimestamp") or pod.get("status", {}).get("phase") in ("Succeeded", "Failed"):
            continue
        container = looping(pod, now)
        if container is not None:
            found.append((pod, container))
            continue
        reason = reason_not_started(pod)
        if reason is not None:
            waiting[reason] = waiting.get(reason, 0) + 1
    crashes, refused, causes = [], None, []
    if found:
        lookup.namespaces = sorted({pod["metadata"]["namespace"] for pod, _ in found})
        owners = {
            (one["metadata"]["namespace"], one["metadata"]["name"]): controller_of(one)
            for one in lookup.quietly("replicasets")
        }
        for pod, container in found:
            workload = workload_of(pod, owners)
            group = (workload, container["name"], container.get("image", ""))
            crashes.append(
                {"pod": pod, "container": container, "workload": workload, "group": group, "end": ended(container)}
            )
        signals = any(crash["end"].get("exitCode") in (137, 143) for crash in crashes)
        killed = probed(lookup.quietly("events", "--field-selector=reason=Unhealthy")) if signals else set()
        texts, refused = examined(crashes, inputs)
        causes = grouped(crashes, texts, killed)
    result = {
        "summary": "",
        "pods": len(crashes),
        "workloads": len({crash["workload"] for crash in crashes}),
        "causes": causes,
        "unreadable": ["%s: %s" % one for one in sorted(lookup.unreadable.items())],
    }
    result["summary"] = summarized(inputs, result, len(pods), waiting, refused)
    json.dump(result, sys.stdout)
    print()


main()
