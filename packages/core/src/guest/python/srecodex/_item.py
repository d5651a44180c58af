"""For which item of an `each` something is done: known to this library, and told to the programs that are started.

The token of the item lives in the context (contextvars) of the thread or task, never in `os.environ`, which all
threads share. A thread that an item starts by itself has a context of its own and does not know it: give it
`contextvars.copy_context().run`. `asyncio.to_thread` and tasks take the context along.
"""

import os
from contextvars import ContextVar
from functools import wraps

VARIABLE = "SRECODEX_ITEM"

token: "ContextVar[str | None]" = ContextVar("srecodex-item", default=None)

_ENV = 10  # position of `env` among the arguments of Popen


def current() -> "str | None":
    """The token of this item; in a child process that of the item it was started for."""
    return token.get() or os.environ.get(VARIABLE) or None


def tell_children() -> None:
    """From here on programs started for an item get its token, by subprocess, asyncio, os.popen or os.system."""
    global tell_children
    tell_children = _done
    from subprocess import Popen

    # The class stays what it is, for those who imported it or inherit from it.
    Popen.__init__ = _popen_for_item(Popen.__init__)  # type: ignore[method-assign]
    os.system = _system_for_item(os.system)
    for name in ("posix_spawn", "posix_spawnp"):
        if hasattr(os, name):
            setattr(os, name, _spawn_for_item(getattr(os, name)))


def _done() -> None:
    pass


def _popen_for_item(init):
    @wraps(init)
    def __init__(self, *args, **kwargs):
        mine = token.get()
        if mine is not None:
            if len(args) > _ENV:
                args = (*args[:_ENV], _with(args[_ENV], mine), *args[_ENV + 1 :])
            else:
                kwargs["env"] = _with(kwargs.get("env"), mine)
        init(self, *args, **kwargs)

    return __init__


def _system_for_item(system):
    @wraps(system)
    def for_item(command):
        mine = token.get()
        if mine is not None:
            quoted = mine.replace("'", "'\\''")
            command = os.fsencode("export %s='%s'; " % (VARIABLE, quoted)) + os.fsencode(command)
        return system(command)

    return for_item


def _spawn_for_item(spawn):
    @wraps(spawn)
    def for_item(path, argv, env, **kwargs):
        mine = token.get()
        return spawn(path, argv, env if mine is None else _with(env, mine), **kwargs)

    return for_item


def _with(env, mine):
    changed = dict(os.environ if env is None else env)
    changed.pop(os.fsencode(VARIABLE), None)
    changed[VARIABLE] = mine
    return changed
