"""`each`: the same work for many items, in parallel, with a ledger."""

import os
import sys
from collections import deque
from contextvars import copy_context
from functools import partial
from threading import Event, Lock, Semaphore, Thread

from . import SrecodexError, _import, _item
from ._ledger import open_ledger
from ._results import Item, Items, classify

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
    from typing import Any, Optional, TypeVar, Union, overload

    T = TypeVar("T")
    R = TypeVar("R")

    class AwaitableItems(Items[T, R], Awaitable[Items[T, R]]):
        """Within an event loop it is to be awaited; without one it is the result."""
else:

    def overload(_variant):
        return None


_MAX_AT_ONCE = 256
_MAX_KEY_CHARS = 200
_COROUTINE_FLAG = 0x80


@overload
def each(  # type: ignore[overload-overlap]
    items: "Iterable[T]",
    fn: "Callable[[T], Coroutine[Any, Any, R]]",
    *,
    key: "Callable[[T], object]" = ...,
    at_once: int = ...,
    waves: "Optional[Sequence[Union[int, str]]]" = ...,
    max_failures: "Union[int, str, None]" = ...,
    retries: int = ...,
    verify: "Optional[Callable[[T], Union[bool, None, Awaitable[Optional[bool]]]]]" = ...,
) -> "AwaitableItems[T, R]": ...
@overload
def each(
    items: "Iterable[T]",
    fn: "Callable[[T], R]",
    *,
    key: "Callable[[T], object]" = ...,
    at_once: int = ...,
    waves: "Optional[Sequence[Union[int, str]]]" = ...,
    max_failures: "Union[int, str, None]" = ...,
    retries: int = ...,
    verify: "Optional[Callable[[T], Optional[bool]]]" = ...,
) -> "Items[T, R]": ...
def each(
    items: "Iterable[Any]",
    fn: "Callable[[Any], Any]",
    *,
    key: "Callable[[Any], object]" = str,
    at_once: int = 8,
    waves: "Optional[Sequence[Union[int, str]]]" = None,
    max_failures: "Union[int, str, None]" = None,
    retries: int = 0,
    verify: "Optional[Callable[[Any], Any]]" = None,
) -> "Any":
    """Calls `fn(item)` for each item, several at once, and says what became of each.

    An item is done unless `fn` raises; what `fn` returns is its value. Items that an earlier run finished are not
    done again. Programs and tools that `fn` calls count for its item; so do those of a thread that it starts, if
    that runs in `contextvars.copy_context()`.

    A plain `fn` runs in threads, and `each` returns `Items`. A coroutine function runs in the event loop: called
    within a running loop, `each` returns an awaitable (`done = await each(...)`), without one it returns `Items`.

    key: names an item, the same in every run: a string of 1 to 200 characters. Two items with one key are an error.
    at_once: how many, 1 to 256.
    waves: sizes, as numbers or percents of all items: [1, 5, "100%"]. The next starts once all of one have ended;
        what the sizes leave over is one more. Absent: one wave.
    max_failures: number or percent; Once more than that have failed or are unknown, nothing more is started, and
        the rest stays pending. Absent: 0 where there are waves, else no bound.
    retries: how often an item that failed may be tried again. The host grants it, with a pause, where nothing was
        changed; outside a sandbox nobody can tell, and nothing is tried again.
    verify: asked for each item that `fn` did, once at the end of its wave: True is ok, False is failed, None is
        unknown; not in planning. Asked first about an item whose outcome an earlier run left unknown: True is ok,
        False is done again, None, or no `verify` at all, leaves it alone.

    Raises SrecodexError (INVALID_PARAMS) before anything is started, and whatever ends a script (SystemExit,
    KeyboardInterrupt) once the items under way have ended.
    """
    work = _Work(items, fn, key, at_once, waves, max_failures, retries, verify)
    if not (_is_async(fn) or _is_async(verify)):
        return work.run()
    asyncio = _import("asyncio")
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work.run_in_loop())
    return work.run_in_loop()


class _Work:
    def __init__(self, items, fn, key, at_once, waves, max_failures, retries, verify):
        self.fn = fn
        self.verify = verify
        self.retries = _whole("retries", retries, 0, 1000)
        self.at_once = _whole("at_once", at_once, 1, _MAX_AT_ONCE)
        self.items = _keyed(items, key)
        total = len(self.items)
        self.waves = None if waves is None else [max(1, _share("waves", size, total, up=True)) for size in waves]
        # A wave is there to be stopped after: whoever asks for waves and says no more gets that.
        if max_failures is None and waves is not None:
            max_failures = 0
        self.max_failures = None if max_failures is None else _share("max_failures", max_failures, total)
        self.wave: dict = {}
        self.planning = os.environ.get("SRECODEX_PHASE") == "plan"
        self.context = copy_context()
        self.loop = None
        self.lock = Lock()
        self.failures = 0
        self.halted = Event()
        self.fatal = None
        self.awaiting = set()

    def run(self):
        _item.tell_children()
        self.ledger = open_ledger()
        self.ledger.add(self.items)
        todo = [item for item in self.items if item.state in ("pending", "unknown")]
        for number, wave in enumerate(self._in_waves(todo), 1):
            done: list = []
            if self.waves is not None and not self.planning:
                self.wave = {"wave": number}
            self._parallel(wave, lambda item: self._do(item, done), self.halted.is_set)
            if self.verify is not None and not self.planning:
                self._parallel(done, self._check, lambda: self.fatal is not None)
            if self.fatal is not None:
                raise self.fatal
            if self.halted.is_set():
                break
        for item in self.items:
            if item.state == "unknown" and item.error is None:
                item.error = SrecodexError("UNKNOWN", "it was started before, and nobody looked")
        return Items(self.items)

    async def run_in_loop(self):
        asyncio = _import("asyncio")
        self.loop = loop = asyncio.get_running_loop()
        ended = loop.create_future()

        def run() -> None:
            try:
                outcome, failure = self.run(), None
            except BaseException as error:
                outcome, failure = None, error
            try:
                loop.call_soon_threadsafe(lambda: ended.done() or ended.set_result((outcome, failure)))
            except RuntimeError:
                pass  # the loop is closed: nobody waits

        # Not a thread of the loop's executor: an `each` inside an item would wait for one that never gets free.
        Thread(target=self.context.copy().run, args=(run,), daemon=True).start()
        try:
            outcome, failure = await asyncio.shield(ended)
        except asyncio.CancelledError as error:
            self._stop(error)
            for future in list(self.awaiting):
                future.cancel()
            await asyncio.wait([ended])
            raise
        if failure is not None:
            raise failure
        return outcome

    def _in_waves(self, todo):
        if self.waves is None or self.planning:
            if todo:
                yield todo
            return
        start = 0
        for size in self.waves:
            if start < len(todo):
                yield todo[start : start + size]
            start += size
        if start < len(todo):
            yield todo[start:]

    def _parallel(self, items, do, stopped) -> None:
        queue = deque(items)

        def work() -> None:
            try:
                while not stopped():
                    try:
                        item = queue.popleft()
                    except IndexError:
                        return
                    try:
                        self.context.copy().run(self._as_item, item, do)
                    except BaseException as error:
                        self._stop(error)
            finally:
                ended.append(True)
                one_ended.release()

        # Not by `join`: up to Python 3.12 an interrupted one takes its thread for ended.
        def wait() -> None:
            while len(ended) < len(threads):
                one_ended.acquire(timeout=0.5)

        ended: list = []
        one_ended = Semaphore(0)
        # Daemons: an interpreter that is told twice to end does not wait for what hangs.
        threads = [Thread(target=work, daemon=True) for _ in range(min(self.at_once, len(items)))]
        for thread in threads:
            thread.start()
        try:
            wait()
        except BaseException as error:
            self._stop(error)
            wait()

    def _as_item(self, item, do) -> None:
        if item.token:
            _item.token.set(item.token)
        do(item)

    def _do(self, item, done) -> None:
        verified = {"verified": self._verdict(item)} if item.state == "unknown" else {}
        go = self.ledger.start(item, **verified, **self.wave)
        left = self.retries
        while go:
            item.state, item.error = "pending", None
            try:
                item.value = self._result(self.fn, item.item)
            except Exception as error:
                item.error = error
                pause_ms = self.ledger.end(item, "failed", *classify(error), retries=left)
            except BaseException as error:
                item.error = error
                self.ledger.end(item, "failed", *classify(error))
                raise
            else:
                if self.verify is not None and not self.planning:
                    done.append(item)
                    return
                pause_ms = self.ledger.end(item, "ok")
            if pause_ms is None or left == 0 or self.halted.wait(pause_ms / 1000):
                break
            left -= 1
            go = self.ledger.start(item, **self.wave)
        self._count(item)

    def _check(self, item) -> None:
        verdict = self._verdict(item)
        if verdict is True:
            self.ledger.end(item, "ok")
        elif verdict is False:
            item.error = SrecodexError("not verified", "verify says that it is not done")
            self.ledger.end(item, "failed", "not verified", "verify says that it is not done")
        else:
            why = "verify cannot say" if item.error is None else "verify failed: %s" % classify(item.error)[1]
            item.error = item.error or SrecodexError("not verified", why)
            self.ledger.end(item, "unknown", "not verified", why)
        self._count(item)

    def _verdict(self, item):
        """True, False, or None where nobody can say."""
        if self.verify is None:
            return None
        try:
            verdict = self._result(self.verify, item.item)
        except Exception as error:
            item.error = error
            return None
        return None if verdict is None else bool(verdict)

    def _result(self, function, argument):
        result = function(argument)
        if not hasattr(type(result), "__await__"):
            return result
        asyncio = _import("asyncio")
        if self.loop is None:
            return asyncio.run(_awaited(result))
        future = asyncio.run_coroutine_threadsafe(_awaited(result), self.loop)
        self.awaiting.add(future)
        try:
            if self.fatal is not None:
                future.cancel()
            return future.result()
        finally:
            self.awaiting.discard(future)

    def _count(self, item) -> None:
        if item.state not in ("failed", "unknown"):
            return
        with self.lock:
            self.failures += 1
            if self.max_failures is not None and self.failures > self.max_failures:
                self.halted.set()

    def _stop(self, error) -> None:
        with self.lock:
            if self.fatal is None:
                self.fatal = error
        self.halted.set()
        payloads = sys.modules.get(__package__ + "._payload")
        if payloads is not None and isinstance(error, KeyboardInterrupt):
            payloads.interrupt()


async def _awaited(result):
    return await result


def _is_async(function) -> bool:
    """A coroutine function, or what wraps one. Not by `inspect`: that takes longer to load than all of this."""
    while isinstance(function, partial) or isinstance(getattr(function, "__wrapped__", None), type(_is_async)):
        function = function.func if isinstance(function, partial) else function.__wrapped__
    code = getattr(function, "__code__", None) or getattr(getattr(type(function), "__call__", None), "__code__", None)
    return code is not None and bool(code.co_flags & _COROUTINE_FLAG)


def _keyed(items, key) -> list:
    keyed = []
    seen = set()
    for item in items:
        name = str(key(item))
        if not 1 <= len(name) <= _MAX_KEY_CHARS or any(ord(one) < 32 or 127 <= ord(one) < 160 for one in name):
            raise _invalid(
                "the key of an item is a string of 1 to %d characters without control characters, not %.300r"
                % (_MAX_KEY_CHARS, name)
            )
        if name in seen:
            raise _invalid("two items have the key %r" % name, "give each(..., key=...) what tells them apart")
        seen.add(name)
        keyed.append(Item(name, item))
    return keyed


def _whole(what, value, least, most) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise _invalid("%s of each is a whole number from %d to %d, not %r" % (what, least, most, value))
    return value


def _share(what, value, total, up=False) -> int:
    """A number, or a percentage of the total: 10 or "10%"."""
    if isinstance(value, str) and value.endswith("%"):
        try:
            percent = float(value[:-1])
        except ValueError:
            percent = -1.0
        if 0 <= percent <= 100:
            share = total * percent / 100
            return int(-(-share // 1)) if up else int(share)
    elif isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise _invalid('%s of each takes whole numbers and percents such as 5 or "10%%", not %r' % (what, value))


def _invalid(message, hint=None) -> SrecodexError:
    return SrecodexError("INVALID_PARAMS", message, hint)
