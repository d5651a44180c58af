"""`tool`, `skill`, `once`, `may`: what a script asks srecodex for."""

import os

from . import SrecodexError, ToolError, _import, _item, _json, _outside, _params, _part

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    T = TypeVar("T")

_SKILLS_AT_ONCE = 64


def tool(server: str, name: str, /, **args: object) -> "Any":
    """Calls a tool of an MCP server and gives its result: parsed JSON, or text.

    Raises ToolError (TOOL_FAILED, REFUSED), Skipped, or SrecodexError where srecodex cannot carry the call.
    """
    params = _tool_params(server, name, args)
    try:
        return _part("_channel").call("tool", params)["value"]
    except SrecodexError as error:
        raise _tool_error(error) from None


async def atool(server: str, name: str, /, **args: object) -> "Any":
    """As `tool`, without holding up the event loop; 64 at once, and more wait for their turn."""
    params = _tool_params(server, name, args)
    try:
        return (await _part("_channel").call_async("tool", params))["value"]
    except SrecodexError as error:
        raise _tool_error(error) from None


def _tool_params(server: str, name: str, args: dict) -> str:
    _inside("tool(%r, %r)" % (server, name))
    return _params(server=server, name=name, arguments=args, item=_item.current())


def _tool_error(error: SrecodexError) -> SrecodexError:
    if error.code in ("TOOL_FAILED", "REFUSED"):
        return ToolError(error.code, error.message, error.hint)
    return error


def skill(id: str, /, **inputs: object) -> "dict[str, Any]":
    """Runs a skill's payload in this sandbox, and gives the JSON object that it prints.

    Its stderr goes to this process's. It has the time that its SKILL.md grants; past that it is killed with all
    that it started. Raises SkillError, Skipped, or SrecodexError where srecodex cannot carry the call.
    """
    return _payload(id, inputs).run()


async def askill(id: str, /, **inputs: object) -> "dict[str, Any]":
    """As `skill`, without holding up the event loop; 64 at once. Cancelling it kills the payload."""
    asyncio = _import("asyncio")
    payload = _payload(id, inputs)
    context = _import("contextvars").copy_context()
    running = asyncio.get_running_loop().run_in_executor(_threads(), context.run, payload.run)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        payload.stop()
        # Nobody is left to hear how it ended.
        running.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        raise


def _payload(id: str, inputs: dict):
    _inside("skill(%r)" % id)
    return _part("_payload").Payload(id, _json(inputs, "the inputs of skill %r are no JSON" % id))


_pool = None
_pool_owner = 0


def _threads():
    global _pool, _pool_owner
    # After a fork the pool is the parent's: its threads are not here.
    if _pool is None or _pool_owner != os.getpid():
        _pool_owner = os.getpid()
        _pool = _import("concurrent.futures").ThreadPoolExecutor(_SKILLS_AT_ONCE, "srecodex-skill")
    return _pool


_decided: dict = {}


def once(name: str, fn: "Callable[[], T]") -> "T":
    """A value that is decided once, such as a time or a random name: the same in plan, apply and resume.

    `fn` decides it, and is called only where nobody did yet. The value is JSON of at most 256 KiB, and comes back
    as JSON gives it: a tuple as a list. Names are a skill's own: two skills do not share them.
    """
    if not isinstance(name, str) or not name:
        raise SrecodexError("INVALID_PARAMS", "the name of once is a string that is not empty, not %r" % (name,))
    if _outside():
        return _decide_here(name, fn)
    full = os.environ.get("SRECODEX_PREFIX", "") + name
    call = _part("_channel").call
    known = call("once", _params(name=full))
    if known["known"]:
        return known["value"]
    value = _json(fn(), "the value of once(%r) is no JSON" % name)
    return call("once.set", '%s,"value":%s}' % (_params(name=full)[:-1], value))["value"]


def _decide_here(name: str, fn):
    if name not in _decided:
        _decided.setdefault(name, _import("json").loads(_json(fn(), "the value of once(%r) is no JSON" % name)))
    return _decided[name]


def may(*argv: str) -> None:
    """Declares a mutation that the script may need: may("kubectl", "rollout", "undo", "deployment/web").

    The plan shows it, and the apply allows it. Raises SrecodexError (REFUSED) where the policy never would.
    """
    if not argv or not all(isinstance(word, str) and word for word in argv[:1]):
        raise SrecodexError("INVALID_PARAMS", 'may takes a command, such as may("kubectl", "rollout", "undo", …)')
    words = [word if isinstance(word, str) else os.fsdecode(word) for word in argv]
    if not _outside():
        _part("_channel").call("may", _params(argv=words))


def _inside(what: str) -> None:
    if _outside():
        raise SrecodexError("OUTSIDE", "%s works inside a sandbox only" % what, "srecodex run SCRIPT")
