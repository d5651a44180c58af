/** What a script needs to speak the protocol without the library: a module that lies beside it. */

export const RAW = `
import json, os, socket, struct
PATH = os.environ['SRECODEX_SOCKET']
WS = os.environ['SRECODEX_WORKSPACE']

def connect(timeout=20):
    link = socket.socket(socket.AF_UNIX); link.settimeout(timeout); link.connect(PATH); return link

def frame(kind, body):
    body = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    return struct.pack('>BI', kind, len(body)) + body

def take(link, count):
    data = b''
    while len(data) < count:
        piece = link.recv(count - len(data))
        if not piece: raise EOFError
        data += piece
    return data

def receive(link):
    kind, length = struct.unpack('>BI', take(link, 5))
    return kind, take(link, length)

def request(method, params=None, link=None, raw=None):
    """The result, or the error; 'CLOSED' where the host hung up."""
    link = link or connect()
    try:
        link.sendall(frame(1, raw if raw is not None else {'v': 1, 'id': 1, 'method': method, 'params': params or {}}))
        return json.loads(receive(link)[1])
    except (EOFError, OSError) as error:
        return 'CLOSED'

def command(tool, argv=(), files={}, link=None, **words):
    """(exit, stdout, stderr); what is wanted is answered from files."""
    link = link or connect()
    out = {20: b'', 21: b''}
    try:
        link.sendall(frame(16, {'v': 1, 'tool': tool, 'argv': list(argv), 'cwd': WS, 'item': None, 'stdin': False, **words}))
        while True:
            kind, body = receive(link)
            if kind == 17:
                text = files.get(json.loads(body)['path'])
                if text is None: link.sendall(frame(19, {'kind': 'failed', 'error': 'ENOENT'}))
                else:
                    for at in range(0, len(text), 65536): link.sendall(frame(18, text[at:at + 65536]))
                    link.sendall(frame(19, {'kind': 'file'}))
            elif kind in out: out[kind] += body
            elif kind == 22: return json.loads(body), out[20].decode(errors='replace'), out[21].decode(errors='replace')
            else: return json.loads(body), '', ''
    except (EOFError, OSError) as error:
        return 'CLOSED', out[20].decode(errors='replace'), out[21].decode(errors='replace')
`
