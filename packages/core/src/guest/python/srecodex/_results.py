"""What became of the items of an `each`."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Generic, TypeVar

    T = TypeVar("T")
    R = TypeVar("R")

    class _Of(Generic[T, R]):
        pass
else:
    T = R = None

    class _Of:
        __slots__ = ()

        def __class_getitem__(cls, _of):
            return cls


_CLASSES_SHOWN = 3
_KEYS_SHOWN = 3


class Item(_Of[T, R]):
    """One item of an `each`.

    `state` is ok, failed, unknown, skipped or pending. `value` is what the function returned, also in an earlier
    run if it was JSON of at most 64 KiB. `error` is what it raised, or why it was not done; else None.
    """

    __slots__ = ("error", "item", "key", "state", "token", "value")

    key: str
    item: "T"
    state: str
    value: "R | None"
    error: "BaseException | None"

    def __init__(self, key: str, item: "T") -> None:
        self.key = key
        self.item = item
        self.token = ""
        self.state = "pending"
        self.value = None
        self.error = None

    def __repr__(self) -> str:
        return "<Item %r %s>" % (self.key, self.state)


class Items(_Of[T, R]):
    """All items of an `each`, in the order in which they were given."""

    __slots__ = ("items",)

    items: "list[Item[T, R]]"

    def __init__(self, items: "list[Item[T, R]]") -> None:
        self.items = items

    @property
    def ok(self) -> "list[Item[T, R]]":
        """Done, in this run or in the one that it goes on from."""
        return self._in("ok")

    @property
    def failed(self) -> "list[Item[T, R]]":
        """The function raised, or `verify` said no."""
        return self._in("failed")

    @property
    def unknown(self) -> "list[Item[T, R]]":
        """Something was started and nobody can say whether it happened."""
        return self._in("unknown")

    @property
    def skipped(self) -> "list[Item[T, R]]":
        """Not in the approved plan."""
        return self._in("skipped")

    @property
    def pending(self) -> "list[Item[T, R]]":
        """Not started: too much had failed, or the run is ending."""
        return self._in("pending")

    def summary(self) -> str:
        """One line, such as `50 ok, 2 failed (exit 1: shop/web, shop/api), 1 skipped`."""
        parts = []
        for state in ("ok", "failed", "unknown", "skipped", "pending"):
            items = self._in(state)
            if items or (state == "ok" and not self.items):
                parts.append("%d %s%s" % (len(items), state, _why(items) if state in ("failed", "unknown") else ""))
        return ", ".join(parts)

    def __repr__(self) -> str:
        return "<Items %s>" % self.summary()

    def _in(self, state: str) -> "list[Item[T, R]]":
        return [item for item in self.items if item.state == state]


def _why(items) -> str:
    classes: dict = {}
    for item in items:
        kind = "not verified" if item.error is None else classify(item.error)[0]
        classes.setdefault(kind, []).append(item.key)
    # The commonest first; among equals the one that came first.
    order = sorted(classes.items(), key=lambda one: -len(one[1]))
    shown = ["%s: %s" % (kind, _some(keys, _KEYS_SHOWN)) for kind, keys in order[:_CLASSES_SHOWN]]
    if len(order) > _CLASSES_SHOWN:
        shown.append("%d more classes" % (len(order) - _CLASSES_SHOWN))
    return " (%s)" % "; ".join(shown)


def _some(keys, count: int) -> str:
    shown = [key if len(key) <= 80 else key[:79] + "…" for key in keys[:count]]
    return ", ".join(shown + (["%d more" % (len(keys) - count)] if len(keys) > count else []))


def classify(error: BaseException) -> "tuple[str, str]":
    """The class of an error, for counting, and its words."""
    code = getattr(error, "code", None) if _is_ours(error) else None
    if code:
        return str(code), error.message  # type: ignore[attr-defined]
    status = getattr(error, "returncode", None)
    if isinstance(status, int) and hasattr(error, "cmd"):
        return _ended(status), _last_line(getattr(error, "stderr", None)) or str(error)
    return type(error).__name__, str(error)


def _is_ours(error: BaseException) -> bool:
    from . import SrecodexError

    return isinstance(error, SrecodexError)


def _ended(status: int) -> str:
    if status >= 0:
        return "exit %d" % status
    from signal import Signals

    try:
        return "signal %s" % Signals(-status).name
    except ValueError:
        return "signal %d" % -status


def _last_line(stderr) -> str:
    if isinstance(stderr, (bytes, bytearray)):
        stderr = stderr.decode("utf-8", "replace")
    lines = stderr.split("\n") if isinstance(stderr, str) else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
