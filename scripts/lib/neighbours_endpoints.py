"""A hundred customers' endpoints in a process of their own, which notes what arrives and when.

Run as a child of scripts/neighbours: one JSON request per line on standard input, one JSON answer per line on standard
output; it ends when standard input does. Each endpoint has a port of its own on 127.0.0.1, so that one can refuse
connections while the others are well. Times are of the monotonic clock, which all processes of a machine share.
"""

import asyncio
import gzip
import json
import re
import sys
import time

KEY = re.compile(rb'"key":"n(\d+)')
SLOW_SECONDS = 3
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BROKEN = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"


class Endpoint:
    """One integration's: well until it is told otherwise."""

    def __init__(self, number):
        self.number = number
        self.kind = "well"
        self.port = None
        self.server = None
        self.connections = set()
        self.seen = set()
        self.first = []  # (when, number of the request to the API) of each that arrived for the first time
        self.answers = {}  # how often each kind of answer was given
        self.repeats = 0

    async def listen(self, port=0):
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(lambda: Connection(self), "127.0.0.1", port, backlog=512)
        self.port = self.server.sockets[0].getsockname()[1]

    def become(self, kind):
        self.kind = kind
        if kind == "refusing":
            self.server.close()
            for connection in list(self.connections):
                connection.abort()

    def take(self, body, gzipped):
        """Notes one delivery, and says how it is answered."""
        now = time.monotonic()
        self.answers[self.kind] = self.answers.get(self.kind, 0) + 1
        if self.kind not in ("well", "slow"):
            return self.kind
        numbers = {int(number) for number in KEY.findall(gzip.decompress(body) if gzipped else body)}
        new = numbers - self.seen
        self.repeats += len(numbers) - len(new)
        self.seen |= new
        self.first += [(now, number) for number in new]
        return self.kind


class Connection(asyncio.Protocol):
    """Just enough HTTP/1.1 for what the functions send: one request after the other, with Content-Length."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.buffer = bytearray()

    def connection_made(self, transport):
        self.transport = transport
        self.endpoint.connections.add(transport)

    def connection_lost(self, _):
        self.endpoint.connections.discard(self.transport)

    def data_received(self, data):
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self.buffer[:end]).lower()
        length = int(re.search(rb"\r\ncontent-length: *(\d+)", head).group(1))
        if len(self.buffer) < end + 4 + length:
            return
        body = bytes(self.buffer[end + 4 : end + 4 + length])
        del self.buffer[: end + 4 + length]
        kind = self.endpoint.take(body, b"\r\ncontent-encoding: gzip" in head)
        if kind == "well":
            self.transport.write(OK)
        elif kind == "slow":
            asyncio.get_running_loop().call_later(SLOW_SECONDS, self.answer_late)
        elif kind == "failing":
            self.transport.write(BROKEN)
        # "hanging": never.

    def answer_late(self):
        if not self.transport.is_closing():
            self.transport.write(OK)


async def serve():
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    endpoints = []
    while line := await reader.readline():
        asked = json.loads(line)
        match asked["do"]:
            case "listen":
                endpoints = [Endpoint(number) for number in range(asked["count"])]
                for endpoint in endpoints:
                    await endpoint.listen()
                answer = [endpoint.port for endpoint in endpoints]
            case "become":
                for number, kind in asked["kinds"].items():
                    endpoints[int(number)].become(kind)
                answer = time.monotonic()
            case "arrived":
                answer = [len(endpoint.seen) for endpoint in endpoints]
            case "tell":
                answer = [
                    {"first": endpoint.first, "answers": endpoint.answers, "repeats": endpoint.repeats}
                    for endpoint in endpoints
                ]
        print(json.dumps(answer), flush=True)


class Endpoints:
    """The child, as its parent sees it."""

    def __init__(self, count):
        self.count = count

    def __enter__(self):
        import subprocess

        from project import uninterrupted

        with uninterrupted():
            self.process = subprocess.Popen(
                [sys.executable, __file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,  # Ctrl-C reaches the parent alone
            )
        self.ports = self.ask(do="listen", count=self.count)
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait()

    def ask(self, **question):
        from project import Failed

        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        if not (line := self.process.stdout.readline()):
            raise Failed("the endpoints' process ended")
        return json.loads(line)


if __name__ == "__main__":
    asyncio.run(serve())
