"""A customer's endpoint: takes deliveries on 127.0.0.1, and can be told to fail."""

import gzip
import json
import threading
import time
import zlib
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Request:
    at: float
    delivery: str
    sent: int  # bytes as they came
    size: int  # bytes after gunzip
    encoding: str
    events: list
    status: int


class Receiver:
    """Counts what it takes; `told` is called with every request, in the order of their ends."""

    def __init__(self, told):
        self.status = 200
        self.requests = []
        self.distinct = set()
        self.repeated = 0
        self.lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60

            def do_POST(self):
                at = time.monotonic()
                raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                encoding = self.headers.get("Content-Encoding", "")
                try:
                    body = gzip.decompress(raw) if encoding == "gzip" else raw
                    events = json.loads(body)
                    events = events if isinstance(events, list) else [events]
                    status = receiver.status
                except (OSError, EOFError, ValueError, zlib.error):
                    body, events, status = b"", [], 400
                request = Request(
                    at, self.headers.get("webhook-id", ""), len(raw), len(body), encoding, events, status
                )
                receiver.take(request, told)
                answer = b"ok" if status == 200 else b"out of order"
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/impressions"

    def take(self, request, told):
        with self.lock:
            if request.status == 200:
                names = [(event.get("key"), event.get("split"), event.get("time")) for event in request.events]
                new = set(names) - self.distinct
                self.repeated += len(names) - len(new)
                self.distinct |= new
            self.requests.append(request)
            told(request)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
