"""What a script does beyond its own sandbox.

- `summary`, `progress`, `artifact`: what a run returns, how far it is, what it keeps.
- `each`: parallel work with a ledger. `once`: a value decided once. `may`: a fallback that is declared.
- `skill`, `askill`: run a skill. `tool`, `atool`: call an MCP tool.

Any thread may call, also from within asyncio (a call that is not awaited takes a fraction of a millisecond, but for
`skill`, `tool` and a plain `each`), and so may the children of `os.fork` and multiprocessing.

Run by hand, outside a sandbox, `summary` prints to stdout, `progress` prints to stderr if that is a terminal,
`artifact` gives a path below the current folder, `each`, `once` and `may` work without a ledger, and `skill` and
`tool` raise `SrecodexError` with the code OUTSIDE.

Only what the interpreter has loaded anyway is imported up front, and `json` never for a plain text: it nearly doubles
the start of an interpreter. Where this package lies no compiled files can be kept, so each module is compiled anew by
every script that needs it, and the parts are loaded when they are first used.
"""

import _thread
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._calls import askill, atool, may, once, skill, tool
    from ._each import each
    from ._results import Item, Items

__all__ = [
    "Item",
    "Items",
    "Skipped",
    "SkillError",
    "SrecodexError",
    "ToolError",
    "artifact",
    "askill",
    "atool",
    "each",
    "may",
    "once",
    "progress",
    "skill",
    "summary",
    "tool",
]

_LATER = {
    "Item": "_results",
    "Items": "_results",
    "askill": "_calls",
    "atool": "_calls",
    "each": "_each",
    "may": "_calls",
    "once": "_calls",
    "skill": "_calls",
    "tool": "_calls",
}


def __getattr__(name: str):
    part = _LATER.get(name)
    if part is None:
        raise AttributeError("module %r has no attribute %r" % (__name__, name))
    value = globals()[name] = getattr(_part(part), name)
    return value


def __dir__():
    return sorted({*globals(), *__all__})


class SrecodexError(Exception):
    """A call that srecodex did not take: `code` for programs, `message` and `hint` for people."""

    code: str
    message: str
    hint: "str | None"

    def __init__(self, code: str, message: str, hint: "str | None" = None) -> None:
        super().__init__(code, message, hint)
        self.code = code
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        text = "%s (%s)" % (self.message, self.code)
        return text if self.hint is None else "%s\nhint: %s" % (text, self.hint)


class ToolError(SrecodexError):
    """An MCP tool said no (TOOL_FAILED), or the operator's policy did (REFUSED)."""


class SkillError(SrecodexError):
    """A skill that did not give its result.

    SKILL_UNKNOWN, SKILL_INPUTS or REFUSED: it was not started. SKILL_FAILED, SKILL_TIMED_OUT, SKILL_OUTPUT: it ended
    with another exit code than 0, was ended for taking too long, printed something else than one JSON object.
    """


class Skipped(SrecodexError):
    """What is not in the approved plan, or comes while the run is ending, is not done (SKIPPED)."""


def summary(text: object) -> None:
    """Says what the run returns; the last call wins. At most 256 KiB of text.

    A dict, list or tuple becomes JSON, bytes are read as UTF-8, anything else becomes `str(text)`.
    """
    words = _words(text)
    if _outside():
        sys.stdout.write(words if words.endswith("\n") else words + "\n")
        sys.stdout.flush()
    else:
        _part("_channel").call("summary", '{"text":%s}' % _quoted(words))


def progress(done: float, total: "float | None" = None, note: str = "") -> None:
    """Says how far the script is. It costs next to nothing and never fails for want of a listener."""
    count = _count("done", done)
    whole = None if total is None else _count("total", total)
    words = _words(note)
    if _outside():
        if sys.stderr is not None and sys.stderr.isatty():
            of = "" if whole is None else "/%s" % whole
            sys.stderr.write("%s%s %s\n" % (count, of, words))
            sys.stderr.flush()
    else:
        try:
            of = "null" if whole is None else whole
            _part("_channel").call("progress", '{"done":%s,"total":%s,"note":%s}' % (count, of, _quoted(words)), answered=False)
        except SrecodexError as error:
            if error.code != "DISCONNECTED":
                raise


def artifact(name: str) -> str:
    """Gives the path to write a file to that is kept with the run; its folder exists.

    `name` is relative, such as "failed/pods.json", without "..", at most 200 bytes.
    """
    if not isinstance(name, str):
        raise SrecodexError("INVALID_PARAMS", "the name of an artifact is a string, not %r" % (name,))
    if _outside():
        parts = name.split("/")
        if "" in parts or "." in parts or ".." in parts:
            raise SrecodexError("INVALID_PARAMS", "the name of an artifact is a relative path without ..")
        path = os.path.join(".", name)
    else:
        path = _part("_channel").call("artifact", '{"name":%s}' % _quoted(_words(name)))["path"]
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return path


def _words(value: object) -> str:
    if isinstance(value, str):
        # Not the value itself: a subclass of str may print as something else.
        text = str.__str__(value)
    elif isinstance(value, (dict, list, tuple)):
        text = _import("json").dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    elif isinstance(value, (bytes, bytearray)):
        return value.decode("utf-8", "replace")
    else:
        text = str(value)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        # Half a surrogate pair, as os.fsdecode gives for a byte that is not UTF-8.
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _quoted(text: str) -> str:
    try:
        return _import("_json").encode_basestring(text)
    except ImportError:
        return _import("json").dumps(text, ensure_ascii=False)


def _count(what: str, value: float) -> float:
    try:
        number = float(value)
        if number >= 0 and number != float("inf") and not isinstance(value, str):
            return int(number) if number.is_integer() else number
    except (TypeError, ValueError, OverflowError):
        pass
    raise SrecodexError("INVALID_PARAMS", "%s of progress is a number, zero or more, not %r" % (what, value))


def _outside() -> bool:
    return not os.environ.get("SRECODEX_SOCKET")


# A fork while another thread is importing leaves the lock of that module taken in the child, for ever. So imports
# are made under a lock that a fork waits for.
_importing = _thread.RLock()
os.register_at_fork(
    before=_importing.acquire, after_in_parent=_importing.release, after_in_child=_importing.release
)
_imported: dict = {}


def _import(name: str):
    module = _imported.get(name)
    if module is None:
        with _importing:
            __import__(name)
            module = _imported[name] = sys.modules[name]
    return module


def _part(name: str):
    """A module of this package."""
    return _import(__name__ + "." + name)


def _params(**params: object) -> str:
    """The params of a call as JSON."""
    return _json(params, "what this call carries is no JSON")


def _json(value: object, why: str) -> str:
    json = _import("json")
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise SrecodexError("INVALID_PARAMS", "%s: %s" % (why, error)) from None
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))
    return text
