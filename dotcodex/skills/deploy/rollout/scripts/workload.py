"""One workload and its health: revision, images, replicas, endpoints, restarts. Reads alone."""

import hashlib
import json
import urllib.error
import urllib.request

from cluster import KubectlError, controller_of, listed

URL_SECONDS = 10
REASONS_SHOWN = 2


class Workload:
    """A Deployment, StatefulSet or DaemonSet by its name."""

    def __init__(self, namespace, target):
        self.namespace = namespace
        self.target = target
        self.kind, self.name = target.split("/", 1)
        self.where = "--namespace=%s" % namespace

    def live(self):
        return listed(self.target, self.where)[0]

    def seen(self):
        """What is remembered of it before anything is changed."""
        live = self.live()
        spec = live["spec"]
        return {
            "uid": live["metadata"]["uid"],
            "images": images_of(live),
            "containers": [one["name"] for one in spec["template"]["spec"]["containers"]],
            "revision": self.revision(live),
            "template": template_digest(live),
            "replicas": wanted_of(live),
            "ordered": live["kind"] == "StatefulSet" and spec.get("podManagementPolicy") != "Parallel",
            "obstacle": obstacle_of(self.kind, spec),
            "unhealthy": self.unready(live),
        }

    def revision(self, live):
        if self.kind == "deployment":
            words = (live["metadata"].get("annotations") or {}).get("deployment.kubernetes.io/revision")
            return int(words) if words else None
        owned = [
            one
            for one in listed("controllerrevisions", self.where)
            if (controller_of(one) or {}).get("uid") == live["metadata"]["uid"]
        ]
        named = [one for one in owned if one["metadata"]["name"] == live.get("status", {}).get("updateRevision")]
        return max((int(one["revision"]) for one in named or owned), default=None)

    def unready(self, live):
        """Why its replicas are not all there; None: they are."""
        wanted, status = wanted_of(live), live.get("status", {})
        ready = status.get("numberReady" if self.kind == "daemonset" else "readyReplicas", 0)
        updated = status.get("updatedNumberScheduled" if self.kind == "daemonset" else "updatedReplicas", 0)
        if status.get("observedGeneration", 0) < live["metadata"].get("generation", 0):
            return "its controller has not looked at it yet"
        if ready < wanted:
            return "%d of %d replicas ready%s" % (ready, wanted, said(self.pod_reasons(live)))
        return None if updated >= wanted else "%d of %d replicas updated" % (updated, wanted)

    def pods(self, live):
        found = listed("pods", self.where, "--selector=%s" % selector_text(live["spec"]["selector"]))
        return [pod for pod in found if not pod["metadata"].get("deletionTimestamp")]

    def pod_reasons(self, live):
        """What its pods say of themselves, the commonest first."""
        try:
            reasons = [reason for reason in map(pod_reason, self.pods(live)) if reason is not None]
        except KubectlError as error:
            return ["pods cannot be read: %s" % error.words]
        return sorted(set(reasons), key=lambda one: (-reasons.count(one), one))[:REASONS_SHOWN]

    def leftovers(self, live):
        """Names of pods that hold a StatefulSet up: of another revision than the one that is wanted, and not ready."""
        status = live.get("status", {})
        if status.get("observedGeneration", 0) < live["metadata"].get("generation", 0):
            return []
        return [
            pod["metadata"]["name"]
            for pod in self.pods(live)
            if pod_reason(pod) is not None
            and (pod["metadata"].get("labels") or {}).get("controller-revision-hash") != status.get("updateRevision")
        ]

    def restarts(self, live):
        """Restarts of each pod's containers, by uid."""
        counts = {}
        for pod in self.pods(live):
            containers = pod.get("status", {}).get("containerStatuses") or []
            counts[pod["metadata"]["uid"]] = sum(one.get("restartCount", 0) for one in containers)
        return counts

    def short_services(self, live):
        """Services that select its pods and have fewer ready endpoints than it has replicas, in words."""
        labels = live["spec"]["template"]["metadata"].get("labels") or {}
        wanted, short = wanted_of(live), []
        for service in listed("services", self.where):
            selector = service["spec"].get("selector") or {}
            if not selector or service["spec"].get("type") == "ExternalName":
                continue
            if any(labels.get(key) != value for key, value in selector.items()):
                continue
            name = service["metadata"]["name"]
            ready = ready_endpoints(listed("endpointslices", self.where, "--selector=kubernetes.io/service-name=%s" % name))
            if ready < wanted:
                short.append("service %s has %d ready endpoints for %d replicas" % (name, ready, wanted))
        return short


def ready_endpoints(slices):
    ready = set()
    for piece in slices:
        for endpoint in piece.get("endpoints") or []:
            # An absent condition counts as ready, by the API's own definition.
            if (endpoint.get("conditions") or {}).get("ready") is not False:
                # A pod of two address families stands in two slices.
                ready.add((endpoint.get("targetRef") or {}).get("uid") or tuple(endpoint.get("addresses") or []))
    return len(ready)


def wanted_of(live):
    if live["kind"] == "DaemonSet":
        return live.get("status", {}).get("desiredNumberScheduled", 0)
    return live["spec"].get("replicas", 1)


def obstacle_of(kind, spec):
    if kind == "deployment" and spec.get("paused"):
        return "it is paused: a change would not be rolled out"
    if kind != "deployment" and (spec.get("updateStrategy") or {}).get("type") == "OnDelete":
        return "its updateStrategy is OnDelete: a change would replace no pod"
    return None


def containers_of(live):
    spec = live["spec"]["template"]["spec"]
    return (spec.get("initContainers") or []) + (spec.get("containers") or [])


def images_of(live):
    return {one["name"]: one.get("image", "") for one in containers_of(live)}


def template_digest(live):
    return hashlib.sha256(json.dumps(live["spec"]["template"], sort_keys=True).encode()).hexdigest()


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
    if conditions.get("Ready", {}).get("status") == "True":
        return None
    if conditions.get("PodScheduled", {}).get("reason") == "Unschedulable":
        return "FailedScheduling: %s" % conditions["PodScheduled"].get("message", "")[:80]
    for container in (status.get("initContainerStatuses") or []) + (status.get("containerStatuses") or []):
        state, last = container.get("state") or {}, (container.get("lastState") or {}).get("terminated") or {}
        told = state.get("waiting") or state.get("terminated") or {}
        if container.get("restartCount", 0) > 0 and last.get("reason"):
            # Whatever a loop shows at the moment.
            return "CrashLoopBackOff after %s" % last["reason"]
        if told.get("reason") not in (None, "Completed", "PodInitializing", "ContainerCreating"):
            return told["reason"]
    return status.get("reason") or "not ready"


def said(reasons):
    return " (%s)" % ", ".join(reasons) if reasons else ""


class SameSite(urllib.request.HTTPRedirectHandler):
    """Follows within http and https alone."""

    def redirect_request(self, request, response, code, message, headers, url):
        if not url.startswith(("http://", "https://")):
            return None
        return super().redirect_request(request, response, code, message, headers, url)


def url_fault(url):
    """Why a URL does not answer 2xx; None: it does."""
    try:
        with urllib.request.build_opener(SameSite()).open(url, timeout=URL_SECONDS) as answer:
            return None if 200 <= answer.status < 300 else "%s answers %d" % (url, answer.status)
    except urllib.error.HTTPError as error:
        return "%s answers %d" % (url, error.code)
    except (OSError, ValueError) as error:
        return "%s cannot be reached: %s" % (url, getattr(error, "reason", None) or error)
