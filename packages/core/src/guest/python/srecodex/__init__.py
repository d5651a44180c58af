"""What a script tells srecodex: `summary`, `progress`, `artifact`.

Any thread may call, also from within asyncio (a call takes a fraction of a millisecond and uses no event loop),
and so may the children of `os.fork` and multiprocessing.

Run by hand, outside a sandbox, `summary` prints to stdout, `progress` prints to stderr if that is a terminal, and
`artifact` gives a path below the current folder.

Only what the interpreter has loaded anyway is imported up front, and `json` never for a plain text: it nearly doubles
the start of an interpreter.
"""

import _thread
import os
import sys

__all__ = ["SrecodexError", "artifact", "progress", "summary"]

_MAX_CALL_BYTES = 1024 * 1024
_REQUEST = 1
_RESPONSE = 2


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


def summary(text: object) -> None:
    """Says what the run returns; the last call wins. At most 256 KiB of text.

    A dict, list or tuple becomes JSON, bytes are read as UTF-8, anything else becomes `str(text)`.
    """
    words = _words(text)
    if _outside():
        sys.stdout.write(words if words.endswith("\n") else words + "\n")
        sys.stdout.flush()
    else:
        _call("summary", '{"text":%s}' % _quoted(words))


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
            _call("progress", '{"done":%s,"total":%s,"note":%s}' % (count, of, _quoted(words)), answered=False)
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
        path = _call("artifact", '{"name":%s}' % _quoted(_words(name)))["path"]
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
            module = _imported[name] = __import__(name)
    return module


# Connections that no call uses now, and the process that opened them. A call takes one, or opens one, and puts it
# back: so threads never wait for each other, and `list.pop` and `list.append` need no lock. Whatever fails under
# way loses its connection, since half an answer may be left on it.
_idle: list = []
_owner = 0


def _call(method: str, params: str, answered: bool = True):
    """Sends one request, its `params` as JSON, and gives the result of the response."""
    request = '{"v":1,"id":%s,"method":"%s","params":%s}' % (1 if answered else "null", method, params)
    payload = request.encode("utf-8")
    if len(payload) > _MAX_CALL_BYTES:
        raise SrecodexError(
            "TOO_LARGE",
            "%s takes %d bytes, and a call carries at most %d" % (method, len(payload), _MAX_CALL_BYTES),
            "write the whole of it to the path that artifact(name) gives",
        )
    try:
        connection = _connection()
        try:
            # Without the flag a script that restored SIGPIPE's default would die silently here.
            connection.sendall(_header(len(payload)) + payload, _no_signal)
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
    if answer is None or answer == b'{"id":1,"result":null}':
        return None
    response = _import("json").loads(answer)
    if "error" in response:
        error = response["error"]
        raise SrecodexError(error["code"], error["message"], error.get("hint"))
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


_no_signal = 0


def _close_idle() -> None:
    try:
        while True:
            _idle.pop().close()
    except IndexError:
        pass


def _header(length: int) -> bytes:
    return bytes((_REQUEST,)) + length.to_bytes(4, "big")


def _receive(connection) -> bytes:
    header = _read(connection, 5)
    length = int.from_bytes(header[1:], "big")
    if header[0] != _RESPONSE or length > _MAX_CALL_BYTES:
        raise _lost("this is not its protocol")
    return _read(connection, length)


def _lost(why: "str | None") -> SrecodexError:
    return SrecodexError("DISCONNECTED", "srecodex does not answer: %s" % why)


def _read(connection, length: int) -> bytes:
    pieces = []
    while length > 0:
        piece = connection.recv(min(length, 65536))
        if not piece:
            raise _lost("it hung up")
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)
