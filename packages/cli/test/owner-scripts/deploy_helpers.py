"""What the owner's deploy script calls and leaves to its user: apply, a health check, a rollback; and a quicker clock."""

import json
import subprocess
from time import sleep
from types import SimpleNamespace

time = SimpleNamespace(sleep=lambda seconds: sleep(seconds / 100))

NAMESPACE = ("-n", "shop")


def kubectl(*words):
    return subprocess.run(["kubectl", *words], capture_output=True, text=True)


def kubectl_apply(manifest):
    with open(manifest) as file:
        applied = json.load(file)
    global deployed
    deployed = "deployment/" + applied["metadata"]["name"]
    done = kubectl("apply", "-f", manifest)
    return SimpleNamespace(success=done.returncode == 0, error=done.stderr.strip())


def check_health(path, retries):
    """By the rollout: the sandbox has no network to ask `path` over."""
    for _ in range(retries):
        done = kubectl("rollout", "status", deployed, *NAMESPACE, "--timeout=1s")
        if done.returncode == 0:
            return SimpleNamespace(ok=True, status="%s ok" % path, error=None)
    return SimpleNamespace(ok=False, status=None, error=done.stderr.strip())


def kubectl_rollback(kind):
    assert deployed.startswith(kind + "/")
    done = kubectl("rollout", "undo", deployed, *NAMESPACE)
    return SimpleNamespace(success=done.returncode == 0, error=done.stderr.strip())
