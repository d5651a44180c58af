#!/usr/bin/env python3
"""Deploys an image or a manifest to one workload, verifies it, and goes back to the revision before if it is bad.

Inputs as a JSON object on stdin, outputs as one on stdout (both as SKILL.md has them), the log on stderr.

What was there before is decided once, and the way back is declared before the first change. Once the verdict on the
new version is known it is decided too: a resumed run goes on with the rollback, and does not judge what it rolled back.
"""

import json
import re
import secrets
import sys
import time

from srecodex import may, once

sys.dont_write_bytecode = True

from cluster import PLANNING, KubectlError, change, kubectl, log  # noqa: E402
from inputs import checked  # noqa: E402
from workload import Workload, images_of, template_digest, url_fault  # noqa: E402

ENDPOINT_SECONDS = 10
LOOK_SECONDS = 2
MOST_ORDINALS = 200
CLEAR_SECONDS = 10
CHANGED = re.compile(r"^(\S+) (?:configured|created|serverside-applied)\b", re.M)


class Stop(Exception):
    """The deploy ends here: `status` and why."""

    def __init__(self, status, reason):
        self.status = status
        self.reason = reason
        super().__init__(reason)


class Deploy:
    def __init__(self, inputs):
        self.inputs = inputs
        self.workload = Workload(inputs["namespace"], inputs["workload"])
        self.before = None
        self.began = time.monotonic()
        self.also = []

    # --- the way through

    def run(self):
        """Status, and why it was not healthy."""
        try:
            self.before = once("before", self.workload.seen)
        except KubectlError as error:
            raise Stop("failed", "%s: nothing was done" % error.words) from None
        if self.before["unhealthy"]:
            log("unhealthy before the deploy: %s" % self.before["unhealthy"])
        words = self.change_words()
        if words is None:
            return self.told_unchanged(self.verdict())
        if self.before["obstacle"]:
            raise Stop("failed", self.before["obstacle"])
        if self.inputs.get("rollback", True) and self.before["revision"] is not None:
            may("kubectl", *self.undo_words())
            if self.before["ordered"]:
                for ordinal in range(min(self.before["replicas"], MOST_ORDINALS)):
                    may("kubectl", *self.delete_words("%s-%d" % (self.workload.name, ordinal)))
        self.refuse_stale()
        failure = self.make(words)
        if PLANNING:
            if failure is not None:
                raise Stop("failed", failure)
            return "deployed", None
        # A resumed run goes on with the verdict that was reached: what it finds may be what it rolled back to.
        judged = once("verdict", lambda: self.judged(failure))
        bad = judged["bad"]
        if not judged["changed"]:
            return self.told_unchanged(bad)
        if bad is None:
            return "deployed", None
        log("bad: %s" % bad)
        return self.go_back(bad)

    def judged(self, failure):
        if failure is not None:
            return {"changed": True, "bad": failure}
        return {"changed": not self.is_as_before(), "bad": self.verdict()}

    def told_unchanged(self, bad):
        if bad is None:
            return "unchanged", None
        raise Stop("failed", "nothing to change, and it is not healthy: %s" % bad)

    # --- the change

    def change_words(self):
        """None: it is there already."""
        image, target, where = self.inputs.get("image"), self.workload.target, self.workload.where
        if image is None:
            return ["apply", "--filename=%s" % self.inputs["manifest"], where]
        images = self.before["images"]
        only = self.before["containers"]
        container = self.inputs.get("container") or (only[0] if len(only) == 1 else None)
        if container is None:
            raise Stop("failed", "which container gets the image? It has %s" % ", ".join(sorted(images)))
        if container not in images:
            raise Stop("failed", "it has no container %s, but %s" % (container, ", ".join(sorted(images))))
        if images[container] == image:
            return None
        return ["set", "image", target, "%s=%s" % (container, image), where]

    def refuse_stale(self):
        """Between plan and apply somebody may have deployed: going back to what was planned would undo theirs."""
        if PLANNING:
            return
        mine = secrets.token_hex(8)
        if once("begun", lambda: mine) != mine:
            return  # an earlier run of this one got this far, and what changed since may be its own doing
        try:
            live = self.workload.live()
        except KubectlError as error:
            raise Stop("failed", "%s: nothing was done" % error.words) from None
        if live["metadata"]["uid"] != self.before["uid"] or template_digest(live) != self.before["template"]:
            raise Stop("failed", "somebody else changed it since it was planned: nothing was done")

    def make(self, words):
        """Makes the change; why it is bad already, or None."""
        try:
            change(*words)
            return None
        except KubectlError as error:
            self.also = [one for one in CHANGED.findall(error.stdout) if not self.is_workload(one)]
            if error.kind is None and not error.stdout and self.inputs.get("image") is not None and not PLANNING:
                log("no answer to the change: %s" % error.words)
                if self.has_image():
                    return None
            reason = error.words
            if self.also:
                reason += "; changed all the same, and not undone: %s" % ", ".join(self.also)
            if not PLANNING and not self.is_as_before():
                return reason
            raise Stop("failed", reason) from None

    def is_workload(self, word):
        kind, _, name = word.partition("/")
        return kind.split(".")[0] == self.workload.kind and name == self.workload.name

    def has_image(self):
        return self.inputs["image"] in images_of(self.look()).values()

    def is_as_before(self):
        return template_digest(self.look()) == self.before["template"]

    def look(self):
        """The workload as it is, for as long as it takes the server to say so."""
        deadline = time.monotonic() + self.timeout()
        while True:
            try:
                return self.workload.live()
            except KubectlError as error:
                if error.kind is not None or time.monotonic() > deadline:
                    raise Stop("failed", "OUTCOME UNKNOWN: it cannot be looked at: %s" % error.words) from None
                time.sleep(LOOK_SECONDS)

    # --- the check

    def timeout(self):
        return self.inputs.get("rollout_timeout_seconds", 300)

    def verdict(self):
        """Why it is not healthy; None: it is."""
        # kubectl waits for no rollout of these.
        bad = None if self.before["obstacle"] else self.rolled_out()
        return bad or self.settled() or self.url_verdict()

    def rolled_out(self):
        deadline = time.monotonic() + self.timeout()
        while True:
            left = max(1, round(deadline - time.monotonic()))
            try:
                kubectl("rollout", "status", self.workload.target, self.workload.where, "--timeout=%ds" % left)
                return None
            except KubectlError as error:
                over = time.monotonic() >= deadline - 1
                # A connection that was lost on the way: the wait goes on.
                if not over and (error.kind == "throttled" or (error.passing and "timed out waiting" not in error.words)):
                    log("rollout status: %s; again" % error.words)
                    time.sleep(LOOK_SECONDS)
                    continue
                live = self.look()
                reasons = self.workload.pod_reasons(live)
                words = error.words[7:] if error.words.startswith("error: ") else error.words
                return "%s (%s)" % (words, ", ".join(reasons)) if reasons else words

    def settled(self):
        live = self.look()
        template, seconds = template_digest(live), self.inputs.get("settle_seconds", 30)
        try:
            restarts = self.workload.restarts(live)
            deadline = time.monotonic() + seconds
            while True:
                bad = self.unsettled(restarts, template)
                if bad is not None:
                    return bad
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                time.sleep(min(LOOK_SECONDS, left))
            # Endpoints follow their pods after a moment.
            deadline = time.monotonic() + ENDPOINT_SECONDS
            while True:
                short = self.workload.short_services(live)
                if not short or time.monotonic() > deadline:
                    return "; ".join(short) or None
                time.sleep(0.5)
        except KubectlError as error:
            return "its health cannot be looked at: %s" % error.words

    def unsettled(self, restarts, template):
        live = self.look()
        if template_digest(live) != template:
            return "somebody else changed it while it settled"
        now = self.workload.restarts(live)
        again = sum(max(0, count - restarts.get(uid, 0)) for uid, count in now.items())
        if again:
            reasons = self.workload.pod_reasons(live)
            return "containers restarted %d times while it settled%s" % (again, " (%s)" % ", ".join(reasons) if reasons else "")
        return self.workload.unready(live)

    def url_verdict(self):
        url, tries = self.inputs.get("health_url"), self.inputs.get("health_retries", 3)
        for attempt in range(tries if url else 0):
            if attempt:
                time.sleep(LOOK_SECONDS)
            bad = url_fault(url)
            if bad is None:
                return None
            log(bad)
        return bad if url else None

    # --- the way back

    def undo_words(self):
        back = "--to-revision=%d" % self.before["revision"]
        return ["rollout", "undo", self.workload.target, self.workload.where, back]

    def go_back(self, bad):
        if not self.inputs.get("rollback", True):
            return "failed", bad
        if self.before["revision"] is None:
            return "rollback-failed", "%s; and no revision before it is known" % bad
        try:
            change(*self.undo_words())
        except KubectlError as error:
            # Where the answer was lost, the template says whether it happened.
            if not self.is_as_before():
                return "rollback-failed", "%s; and the rollback: %s" % (bad, error.words)
        worse = self.clear_way() or self.rolled_out()
        if worse is None and not self.is_as_before():
            worse = "the template is not what it was"
        if worse is None:
            worse = self.workload.unready(self.look())
        return ("rolled-back", bad) if worse is None else ("rollback-failed", "%s; and the rollback: %s" % (bad, worse))

    def delete_words(self, pod):
        return ["delete", "pod", pod, self.workload.where, "--ignore-not-found", "--wait=false"]

    def clear_way(self):
        """An ordered StatefulSet waits for its bad pod for ever, also once its template is good again: it is deleted."""
        if not self.before["ordered"]:
            return None
        deadline = time.monotonic() + min(self.timeout(), CLEAR_SECONDS)
        try:
            while time.monotonic() < deadline:
                live = self.look()
                names = self.workload.leftovers(live)
                for name in names:
                    log("%s is bad and holds the rollback up: deleted" % name)
                    change(*self.delete_words(name))
                if names or self.workload.unready(live) is None:
                    return None
                time.sleep(0.5)
        except KubectlError as error:
            return "its bad pod cannot be deleted: %s" % error.words
        return None


# --- the whole


def images(seen):
    return sorted("%s=%s" % one for one in seen.items())


def summarized(deploy, status, reason, after):
    before = deploy.before or {}
    what = "%s in %s" % (deploy.workload.target, deploy.inputs["namespace"])
    new = deploy.inputs.get("image") or deploy.inputs["manifest"]
    revision = before.get("revision")
    if PLANNING and status == "deployed":
        back = ", back to revision %s if it is not healthy" % revision if deploy.inputs.get("rollback", True) else ""
        line = "to deploy: %s to %s%s" % (new, what, back)
    elif status == "deployed":
        line = "%s is healthy with %s, revision %s; it was at %s" % (what, new, after.get("revision"), revision)
    elif status == "unchanged":
        line = "%s is healthy, and %s changes nothing of its pods (revision %s)" % (what, new, revision)
    elif status == "rolled-back":
        line = "rolled %s back to what revision %s was: %s" % (what, revision, reason)
    elif status == "rollback-failed":
        line = "ROLLBACK FAILED, NEEDS A PERSON: %s: %s" % (what, reason)
    else:
        line = "%s: failed with %s: %s" % (what, new, reason)
    if before.get("unhealthy"):
        line += "\nit was unhealthy before the deploy: %s" % before["unhealthy"]
    return line


def main():
    deploy = Deploy(checked(json.load(sys.stdin)))
    try:
        status, reason = deploy.run()
    except Stop as stop:
        status, reason = stop.status, stop.reason
    before, after = deploy.before or {}, {}
    try:
        live = deploy.workload.live()
        after = {"images": images_of(live), "revision": deploy.workload.revision(live)}
    except KubectlError as error:
        log("it cannot be looked at after all: %s" % error.words)
    result = {
        "summary": summarized(deploy, status, reason, after),
        "status": status,
        "reason": reason,
        "image_before": images(before.get("images", {})),
        "image_after": images(after.get("images", {})),
        "revision_before": before.get("revision"),
        "revision_after": after.get("revision"),
        "duration_seconds": round(time.monotonic() - deploy.began, 1),
    }
    json.dump(result, sys.stdout)
    print()


main()
