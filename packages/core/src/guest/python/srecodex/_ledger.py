"""The ledger of one `each`: kept by the host, or, outside a sandbox, by nobody."""

import os

from . import Skipped, SrecodexError, _json, _outside, _params, _part

_KEYS_AT_ONCE = 2000
_MAX_VALUE_BYTES = 64 * 1024
_MAX_MESSAGE_CHARS = 500


def open_ledger():
    return _NoLedger() if _outside() else _Ledger()


class _Ledger:
    def __init__(self) -> None:
        self._call = _part("_channel").call
        prefix = os.environ.get("SRECODEX_PREFIX", "")
        opened = self._call("each.open", _params(item=_part("_item").current(), prefix=prefix))
        self._each = opened["each"]

    def add(self, items) -> None:
        """Tells each item its token, and what is known of it from an earlier run."""
        for start in range(0, len(items), _KEYS_AT_ONCE):
            chunk = items[start : start + _KEYS_AT_ONCE]
            answer = self._call("each.add", _params(each=self._each, keys=[item.key for item in chunk]))
            for item, known in zip(chunk, answer["items"]):
                item.token = known["token"]
                item.state = "pending" if known["state"] == "todo" else known["state"]
                if item.state == "ok":
                    item.value = known.get("value")

    def start(self, item, **said) -> bool:
        """True where the item is to be done; else it has its state."""
        try:
            answer = self._call("item.start", _params(token=item.token, **said))
        except Skipped as skipped:
            item.state, item.error = "skipped", skipped
            return False
        if answer["go"]:
            return True
        item.state = answer["state"]
        why = answer.get("why") or "the ledger says so"
        if item.state == "skipped":
            item.error = Skipped("SKIPPED", why)
        elif item.state != "ok" and item.error is None:
            item.error = SrecodexError(item.state.upper(), why)
        return False

    def end(self, item, outcome: str, kind: str = "", message: str = "", retries: int = 0) -> "int | None":
        """Records how it went; milliseconds after which it is to be tried again, or None."""
        said = {"token": item.token, "outcome": outcome, "class": kind[:200]}
        said["message"] = message[:_MAX_MESSAGE_CHARS]
        said["retries"] = retries
        params = _params(**said)
        if outcome == "ok" and item.value is not None:
            value = _small_json(item.value)
            if value is not None:
                params = '%s,"value":%s}' % (params[:-1], value)
        answer = self._call("item.end", params)
        item.state = answer["state"]
        if item.error is None and item.state == "skipped":
            item.error = Skipped("SKIPPED", "a call of it is not in the approved plan")
        elif item.error is None and item.state == "unknown":
            item.error = SrecodexError("UNKNOWN", "a mutation of it has no certain result")
        return answer.get("retryAfterMs")


class _NoLedger:
    def add(self, items) -> None:
        pass

    def start(self, item, **said) -> bool:
        return True

    def end(self, item, outcome: str, kind: str = "", message: str = "", retries: int = 0) -> "int | None":
        # Nothing is tried again: nobody knows here whether something was changed.
        item.state = outcome
        return None


def _small_json(value: object) -> "str | None":
    try:
        text = _json(value, "")
    except SrecodexError:
        return None
    return text if len(text.encode("utf-8")) <= _MAX_VALUE_BYTES else None
