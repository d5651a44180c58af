"""What a deploy is told, checked before the cluster is asked anything."""

import os
import re

from cluster import NAME, fail

TARGET = re.compile(r"(deployment|statefulset|daemonset)/(.+)\Z")
IMAGE = re.compile(r"[\w][\w.\-/:@+]*\Z", re.A)


def checked(inputs):
    if not isinstance(inputs, dict):
        fail("the inputs are a JSON object")
    for field in ("namespace", "workload"):
        if not isinstance(inputs.get(field), str):
            fail("`%s` is needed" % field)
    if not NAME.match(inputs["namespace"]):
        fail("%r is no namespace" % inputs["namespace"])
    target = TARGET.match(inputs["workload"])
    if target is None or not NAME.match(target.group(2)):
        fail("%r is no deployment/NAME, statefulset/NAME or daemonset/NAME" % inputs["workload"])
    if (inputs.get("image") is None) == (inputs.get("manifest") is None):
        fail("say what to deploy: either `image` or `manifest`")
    if inputs.get("image") is not None and not IMAGE.match(inputs["image"]):
        fail("%r is no image" % inputs["image"])
    manifest = inputs.get("manifest")
    if manifest is not None and not os.path.isfile(manifest):
        fail("there is no file %s" % manifest)
    if inputs.get("health_url") and not re.match(r"https?://", inputs["health_url"]):
        fail("health_url is a http or https URL")
    return inputs
