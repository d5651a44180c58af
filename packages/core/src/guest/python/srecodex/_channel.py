"""One call to srecodex and its answer, from any thread, child process or event loop. See ../../PROTOCOL.md.

Each call has a connection to itself while it lasts: callers never wait for each other, and whatever is interrupted
under way takes its connection with it, since half an answer may be left on that.
"""

import os

from . import SrecodexError, Skipped, _import

_MAX_REQUEST_BYTES = 1024 * 1024
_MAX_RESPONSE_BYTES = 16 * 1024 * 1024
_REQUEST = 1
_RESPONSE = 2
_CALLS_AT_ONCE = 64  # of one event loop

# Connections that no call uses now, and the process that opened them. `list.pop` and `list.append` need no lock.
_idle: list = []
_owner = 0
_no_signal = 0


def call(method: str, params: str, answered: bool = True):
    """Sends one request, its `params` as JSON, and gives the result of the response."""
    frame = _frame(method, params, answered)
    try:
        connection = _connection()
        try:
            # Without the flag a script that restored SIGPIPE's default would die silently here.
            connection.sendall(frame, _no_signal)
            answer = _receive(connection) if answered else None
        except BaseException:
            connection.close()
            raise
    except OSError as error:
        # Without a number it is not the system's: a signal handler of the script raised, say, TimeoutError.
        if error.errno is None:
            raise
        raise _lost(error.strerror) from None
    _idle.append(connection)
    return _result(answer)


async def call_async(method: str, params: str):
    """As `call`, without holding up the event loop. Cancelling it hangs up on the host, which drops the call."""
    frame = _frame(method, params, True)
    loop = _import("asyncio").get_running_loop()
    async with _slots(loop):
        try:
            connection = _connection()
            try:
                connection.setblocking(False)
                await _send_async(loop, connection, frame)
                answer = await _receive_async(loop, connection)
                connection.setblocking(True)
            except BaseException:
                connection.close()
                raise
        except OSError as error:
            if error.errno is None:
                raise
            raise _lost(error.strerror) from None
        _idle.append(connection)
    return _result(answer)


def _frame(method: str, params: str, answered: bool) -> bytes:
    request = '{"v":1,"id":%s,"method":"%s","params":%s}' % (1 if answered else "null", method, params)
    payload = request.encode("utf-8")
    if len(payload) > _MAX_REQUEST_BYTES:
        raise SrecodexError(
            "TOO_LARGE",
            "%s takes %d bytes, and a call carries at most %d" % (method, len(payload), _MAX_REQUEST_BYTES),
            "write the whole of it to the path that artifact(name) gives" if method == "summary" else None,
        )
    return bytes((_REQUEST,)) + len(payload).to_bytes(4, "big") + payload


def _result(answer: "bytes | None"):
    if answer is None or answer == b'{"id":1,"result":null}':
        return None
    response = _import("json").loads(answer)
    if "error" in response:
        error = response["error"]
        kind = Skipped if error["code"] == "SKIPPED" else SrecodexError
        raise kind(error["code"], error["message"], error.get("hint"))
    return response["result"]


def _connection():
    global _owner, _no_signal
    if _owner != os.getpid():
        if not _owner:
            _import("atexit").register(_close_idle)
        # After a fork these are the parent's: closing our copy leaves its own open.
        _close_idle()
        _owner = os.getpid()
    try:
        return _idle.pop()
    except IndexError:
        pass
    _socket = _import("_socket")
    _no_signal = _socket.MSG_NOSIGNAL
    path = os.environ["SRECODEX_SOCKET"]
    if len(os.fsencode(path)) > 107:
        raise _lost("SRECODEX_SOCKET is too long for a socket")
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        # socket.setdefaulttimeout is meant for the script's own connections.
        connection.settimeout(None)
        connection.connect(path)
    except BaseException:
        connection.close()
        raise
    return connection


def _close_idle() -> None:
    try:
        while True:
            _idle.pop().close()
    except IndexError:
        pass


def _receive(connection) -> bytes:
    return _read(connection, _length(_read(connection, 5)))


def _length(header: bytes) -> int:
    length = int.from_bytes(header[1:], "big")
    if header[0] != _RESPONSE or length > _MAX_RESPONSE_BYTES:
        raise _lost("this is not its protocol")
    return length


def _read(connection, length: int) -> bytes:
    pieces = []
    while length > 0:
        piece = connection.recv(min(length, 65536))
        if not piece:
            raise _lost("it hung up")
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)


async def _send_async(loop, connection, frame: bytes) -> None:
    # Not loop.sock_sendall: that has no MSG_NOSIGNAL.
    left = memoryview(frame)
    while left:
        try:
            left = left[connection.send(left, _no_signal) :]
        except BlockingIOError:
            await _ready(loop, connection, loop.add_writer, loop.remove_writer)


async def _receive_async(loop, connection) -> bytes:
    return await _read_async(loop, connection, _length(await _read_async(loop, connection, 5)))


async def _read_async(loop, connection, length: int) -> bytes:
    pieces = []
    while length > 0:
        try:
            piece = connection.recv(min(length, 65536))
        except BlockingIOError:
            await _ready(loop, connection, loop.add_reader, loop.remove_reader)
            continue
        if not piece:
            raise _lost("it hung up")
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)


async def _ready(loop, connection, add, remove) -> None:
    ready = loop.create_future()
    descriptor = connection.fileno()
    add(descriptor, lambda: ready.done() or ready.set_result(None))
    try:
        await ready
    finally:
        remove(descriptor)


_slots_of = None


def _slots(loop):
    """Bounds the connections of an event loop: a gather over thousands of calls would use up what a run may have."""
    global _slots_of
    if _slots_of is None:
        _slots_of = _import("weakref").WeakKeyDictionary()
    slots = _slots_of.get(loop)
    if slots is None:
        slots = _slots_of[loop] = _import("asyncio").Semaphore(_CALLS_AT_ONCE)
    return slots


def _lost(why: "str | None") -> SrecodexError:
    return SrecodexError("DISCONNECTED", "srecodex does not answer: %s" % why)
