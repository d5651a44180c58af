#!/usr/bin/env python3
"""EC2 instances of all regions and accounts given: counted by group, listed in a CSV.

Inputs as a JSON object on stdin, outputs as one on stdout (both as SKILL.md has them), the log on stderr. Reads alone.
A pair of account and region that cannot be read is told, and the others go on.
"""

import csv
import json
import re
import sys
from collections import Counter
from datetime import datetime, timezone

from srecodex import SrecodexError, artifact, each, once, progress

sys.dont_write_bytecode = True

from aws_cli import AwsError, aws  # noqa: E402

STATES = ("pending", "running", "shutting-down", "terminated", "stopping", "stopped")
FIELDS = (
    "Reservations[].Instances[].{id: InstanceId, type: InstanceType, state: State.Name, launched: LaunchTime,"
    " zone: Placement.AvailabilityZone, tags: Tags}"
)
COLUMNS = ("account", "region", "zone", "id", "name", "type", "state", "launched", "tags")
GROUPING = re.compile(r"(state|type|family|region|account|zone|age|tag:.+)\Z", re.S)
REGION = re.compile(r"[a-z0-9-]+\Z")
AT_ONCE = 8
GROUPS_SHOWN = 50
AGES = ((1, "under 1 day"), (7, "1-7 days"), (30, "7-30 days"), (90, "30-90 days"), (365, "90-365 days"))


def log(words):
    print(words, file=sys.stderr, flush=True)


def fail(words):
    log("error: %s" % words)
    sys.exit(1)


def checked(inputs):
    if not isinstance(inputs, dict):
        fail("the inputs are a JSON object")
    for region in inputs.get("regions", []):
        if not REGION.match(region):
            fail("%r is no region" % region)
    for profile in inputs.get("profiles", []):
        if not profile or profile.startswith("-"):
            fail("%r is no profile" % profile)
    for state in inputs.get("states", []):
        if state not in STATES:
            fail("%r is no state of an instance" % state)
    for field in inputs.get("group_by", []):
        if not GROUPING.match(field):
            fail("cannot group by %r" % field)
    if not re.match(r"[0-9]+d\Z", inputs.get("older_than", "0d")):
        fail("older_than is a number of days, such as 30d")
    return inputs


# --- accounts and regions


def login_hint(profile):
    return "log in and try again: aws sso login%s" % ("" if profile is None else " --profile %s" % profile)


class Accounts:
    """One for each account id; what cannot be asked is in `broken`, with its reason."""

    def __init__(self, profiles):
        self.names = []
        self.profile_of = {}
        self.doubles = []
        self.broken = {}
        self.error = None
        ids = {}
        for profile in profiles or [None]:
            try:
                account = aws("sts", "get-caller-identity", profile=profile)["Account"]
            except AwsError as error:
                self.error = error
                name = profile or "default"
                hint = "; %s" % login_hint(profile) if error.code == "expired login" else ""
                self.broken[name] = "%s: %s%s" % (name, error, hint)
                continue
            if account in ids:
                self.doubles.append("%s is the account of %s" % (profile, ids[account]))
                continue
            name = profile or account
            ids[account] = name
            self.names.append(name)
            self.profile_of[name] = profile


def regions_of(profile):
    question = ("ec2", "describe-regions", "--query=Regions[].RegionName")
    try:
        return sorted(aws(*question, profile=profile) or [])
    except AwsError as error:
        if "must specify a region" not in error.words:
            raise
    return sorted(aws(*question, "--region=us-east-1", profile=profile) or [])


# --- instances


def filters(inputs):
    """As JSON: in the CLI's short form a comma in a tag would begin another value."""
    states = inputs.get("states", ["pending", "running", "stopping", "stopped"])
    asked = [{"Name": "instance-state-name", "Values": states}] if states else []
    asked += [{"Name": "tag:%s" % key, "Values": [value]} for key, value in sorted(inputs.get("tags", {}).items())]
    return ["--filters=%s" % json.dumps(asked)] if asked else []


class Inventory:
    def __init__(self, inputs, now, pairs, accounts):
        self.inputs = inputs
        self.now = now
        self.pairs = pairs
        self.accounts = accounts
        self.rows = {}

    def read(self, key):
        account, region = key.rsplit("/", 1)
        words = ["ec2", "describe-instances", "--region=%s" % region, "--query=%s" % FIELDS, "--page-size=1000"]
        try:
            found = aws(*words, *filters(self.inputs), profile=self.accounts.profile_of[account]) or []
        except AwsError as error:
            log("%s: %s" % (key, error))
            raise SrecodexError(error.code, error.words) from None
        self.rows[key] = [row for row in (self.row(account, region, one) for one in found) if self.wanted(row)]
        progress(len(self.rows), len(self.pairs), key)

    def row(self, account, region, one):
        tags = {tag["Key"]: tag.get("Value") or "" for tag in one.get("tags") or []}
        launched = datetime.fromisoformat((one["launched"] or "").replace("Z", "+00:00"))
        return {
            **{"account": account, "region": region, "zone": one.get("zone") or "", "id": one["id"]},
            **{"type": one["type"], "state": one["state"], "launched": one["launched"], "tags": tags},
            "days": (self.now - launched.timestamp()) / 86_400,
        }

    def wanted(self, row):
        missing = self.inputs.get("missing_tags", [])
        if missing and all(row["tags"].get(tag) for tag in missing):
            return False
        return row["days"] > int(self.inputs.get("older_than", "0d")[:-1]) or "older_than" not in self.inputs

    def all(self):
        return [row for key in self.pairs for row in self.rows.get(key, [])]


def value_of(row, field):
    if field.startswith("tag:"):
        return row["tags"].get(field[4:], "")
    if field == "family":
        return row["type"].split(".")[0]
    if field == "age":
        return next((name for days, name in AGES if row["days"] < days), "over a year")
    return row[field]


def harmless(text):
    """A spreadsheet runs a cell that begins so."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def write_list(rows):
    name = "instances.csv"
    with open(artifact(name), "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, quoting=csv.QUOTE_ALL)
        table.writerow(COLUMNS)
        for row in rows:
            tags = row["tags"]
            cells = {**row, "name": tags.get("Name", ""), "tags": json.dumps(tags, ensure_ascii=False, sort_keys=True)}
            table.writerow([harmless(str(cells[column])) for column in COLUMNS])
    return name


# --- the whole


def counted(counts, most=6):
    order = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    rest = sum(count for _value, count in order[most:])
    return ", ".join(["%s %d" % one for one in order[:most]] + (["others %d" % rest] if rest else []))


def some(texts, most=3):
    return "; ".join(texts[:most] + (["%d more" % (len(texts) - most)] if len(texts) > most else []))


def count(number, word):
    return "%d %s%s" % (number, word, "" if number == 1 else "s")


def group_name(key):
    return " ".join(value if value else "(no %s)" % field.replace("tag:", "tag ") for field, value in key.items())


def summarized(result, pairs, doubles, list_name):
    where = count(pairs, "region")
    where = "%d of %s" % (result["regions"], where) if result["incomplete"] else where
    listed = " (list: %s)" % list_name if list_name else ""
    lines = ["%s in %s%s" % (count(result["total"], "instance"), where, listed)]
    if result["total"]:
        lines.append("state: %s" % counted(result["by_state"]))
        most = ["%s %d" % (group_name(one["key"]), one["count"]) for one in result["groups"][:8]]
        lines.append("groups: %s" % some(most, 8))
    if doubles:
        lines.append("read once: %s" % some(doubles))
    if result["incomplete"]:
        lines.append("not read: %s" % some(result["incomplete"]))
    return "\n".join(one_line(line) for line in lines)


def one_line(text):
    return re.sub(r"[\x00-\x1f\x7f]+", " ", text)


def main():
    inputs = checked(json.load(sys.stdin))
    now = once("now", lambda: int(datetime.now(timezone.utc).timestamp()))
    accounts = Accounts(inputs.get("profiles", []))
    incomplete, pairs = list(accounts.broken.values()), []
    first = accounts.error
    for name in accounts.names:
        try:
            regions = inputs.get("regions") or regions_of(accounts.profile_of[name])
            pairs += ["%s/%s" % (name, region) for region in dict.fromkeys(regions)]
        except AwsError as error:
            first = first or error
            incomplete.append("%s: its regions cannot be listed: %s" % (name, error))
    if not pairs:
        fail(some(incomplete) if incomplete else "the account has no region enabled")
    inventory = Inventory(inputs, now, pairs, accounts)
    done = each(pairs, inventory.read, at_once=AT_ONCE)
    for item in done.ok:
        # Finished by an earlier run: what was read is not kept, and reading it again changes nothing.
        if item.key not in inventory.rows:
            inventory.read(item.key)
    failed = [item for item in done.items if item.state != "ok"]
    incomplete += ["%s: %s" % (item.key, reason(item.error)) for item in failed]
    if len(failed) == len(pairs):
        fail(some(incomplete))
    rows = inventory.all()
    fields = inputs.get("group_by", ["region", "state", "family"])
    groups = Counter(tuple(value_of(row, field) for field in fields) for row in rows)
    order = sorted(groups.items(), key=lambda one: (-one[1], one[0]))[:GROUPS_SHOWN]
    result = {
        "summary": "",
        "total": len(rows),
        "by_state": dict(Counter(row["state"] for row in rows)),
        "groups": [{"key": dict(zip(fields, values)), "count": count} for values, count in order],
        "regions": len(pairs) - len(failed),
        "incomplete": incomplete,
    }
    list_name = write_list(rows) if rows else None
    if list_name is not None:
        result["inventory"] = list_name
    result["summary"] = summarized(result, len(pairs), accounts.doubles, list_name)
    json.dump(result, sys.stdout)
    print()


def reason(error):
    return "%s: %s" % (error.code, error.message) if isinstance(error, SrecodexError) else str(error)


main()
