"""What a crash loop is, and what it is one of: by a pod's whole status and the end of its log. Pure.

A loop shows CrashLoopBackOff, Running, Error or OOMKilled in turn, so no moment of it is asked alone.
"""

import re
from datetime import datetime

# The kubelet forgets a loop after ten minutes of running, and so does this.
RECENT_SECONDS = 600
LINE_CHARS = 160

NEXT = {
    "out-of-memory": "memory limit against usage, heap size, leak",
    "killed": "node pressure, preStop, whoever sent the signal",
    "liveness-probe": "the probe's delay and time-out, a slow start",
    "crash": "the last log line",
    "bad-command": "image, entrypoint, rights",
    "bad-config": "ConfigMap, Secret, the last change of either",
    "exits-cleanly": "a job that runs as a service: restartPolicy, or a Job in its place",
    "unknown": "kubectl describe pod: its status has no record of an end",
}

SIGNALLED = (137, 143)
NOT_EXECUTABLE = (126, 127)
NOT_STARTED = ("StartError", "ContainerCannotRun", "RunContainerError")
BAD_CONFIG = re.compile(
    r"no such file|file not found|filenotfound|cannot (?:open|read|find) \S*(?:conf|cfg|\.ya?ml|\.json|\.toml|\.env)"
    r"|(?:environment )?variable \S+ (?:is |was )?(?:not set|missing|required|undefined)"
    r"|(?:missing|required|undefined|unset|no) (?:required )?(?:environment variable|env var|config|setting|secret|key\b)"
    r"|invalid config|config\S* (?:is )?(?:invalid|missing|malformed)|keyerror|unknown (?:option|flag|setting)",
    re.I,
)
TELLING = re.compile(r"error|exception|\bfatal\b|\bpanic\b|caused by|\bcritical\b|segmentation fault", re.I)
FRAME = re.compile(r"\s+\S|at \S+\(|goroutine \d+|Traceback \(most recent")
STAMP = re.compile(r"^\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d\S*\s*")
MASKS = (
    (re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/@]+@", re.I), "<secret>@"),
    (re.compile(r"((?:pass(?:word|wd)?|secret|token|api[-_ ]?key|credential)s?\"?\s*[=:]\s*)\S+", re.I), r"\1<secret>"),
    (re.compile(r"\b(bearer|basic) [\w.~+/=-]{8,}", re.I), r"\1 <secret>"),
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), "<email>"),
    (re.compile(r"\b\d+(?:\.\d+){3}(?::\d+)?\b"), "<ip>"),
    (re.compile(r"\b(?=[\w-]*\d)[0-9a-f]{4,}(?:-[0-9a-f]{2,})+\b|\b(?=\w*\d)[0-9a-f]{8,}\b", re.I), "<id>"),
    (re.compile(r"\b(?=\w*\d)(?=\w*[a-z])\w{24,}\b", re.I), "<id>"),
    # psycopg2 is a name.
    (re.compile(r"(?<![A-Za-z_\d])\d+"), "<n>"),
)


def containers_of(pod):
    status = pod.get("status", {})
    return (status.get("initContainerStatuses") or []) + (status.get("containerStatuses") or [])


def looping(pod, now):
    """The container that is in a crash loop, at whichever point of it we look; else None."""
    status = pod.get("status", {})
    init = {one["name"] for one in status.get("initContainerStatuses") or []}
    for container in containers_of(pod):
        state = container.get("state") or {}
        waiting, running, end = state.get("waiting"), state.get("running"), state.get("terminated")
        last = (container.get("lastState") or {}).get("terminated")
        restarts = container.get("restartCount", 0)
        if waiting:
            if waiting.get("reason") == "CrashLoopBackOff":
                return container
            # In between, the container is being made anew.
            if restarts > 1 and last and waiting.get("reason") in (None, "ContainerCreating", "RunContainerError"):
                return container
        elif restarts > 1 and end:
            # An init container that is through at last is not one that crashes.
            if container["name"] not in init or end.get("exitCode") != 0:
                return container
        elif restarts > 1 and last and running:
            if now - seconds_of(running.get("startedAt")) < RECENT_SECONDS:
                return container
    return None


def ended(container):
    """How it ended last."""
    last = (container.get("lastState") or {}).get("terminated")
    now = (container.get("state") or {}).get("terminated")
    return now or last or {}


def reason_not_started(pod):
    """Why a pod cannot start at all, which is no crash; None where it is none of that."""
    for condition in pod.get("status", {}).get("conditions") or []:
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "Unschedulable":
            return "Unschedulable"
    for container in containers_of(pod):
        reason = ((container.get("state") or {}).get("waiting") or {}).get("reason")
        if reason not in (None, "ContainerCreating", "PodInitializing", "CrashLoopBackOff"):
            return reason
    return None


def cause_of(end, container, line, by_probe):
    reason, code = end.get("reason"), end.get("exitCode")
    if reason == "OOMKilled":
        return "out-of-memory"
    if code in SIGNALLED:
        return "liveness-probe" if by_probe else "killed"
    waiting = ((container.get("state") or {}).get("waiting") or {}).get("reason")
    if code in NOT_EXECUTABLE or reason in NOT_STARTED or waiting in NOT_STARTED:
        return "bad-command"
    if code == 0:
        return "exits-cleanly"
    if line and BAD_CONFIG.search(line):
        return "bad-config"
    return "unknown" if code is None else "crash"


def log_line(text):
    """The last error or exception of a log's end, else its last line, as a template that equals of it share."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if TELLING.search(line) and not FRAME.match(line)]
    return masked((telling or lines or [""])[-1])


def masked(line):
    text = "".join(char if char.isprintable() else " " for char in STAMP.sub("", line.strip()))
    for pattern, name in MASKS:
        text = pattern.sub(name, text)
    text = " ".join(text.split())
    return text if len(text) <= LINE_CHARS else text[: LINE_CHARS - 1] + "…"


def seconds_of(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() if text else 0.0
