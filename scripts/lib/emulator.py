"""Local AWS: a MiniStack of our own, or one that is already running."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from project import LOCAL, Failed, uninterrupted
from tools import tool

REGION = "us-east-1"


class Emulator:
    """A MiniStack on a free port of 127.0.0.1; as a context manager it is stopped at the end, whatever happens."""

    def __init__(self, endpoint=None, log="emulator"):
        self.endpoint = endpoint.rstrip("/") if endpoint else None
        self.ours = endpoint is None
        self.log = LOCAL / f"{log}.log"
        self.process = None
        self.scratch = None

    def __enter__(self):
        if self.ours:
            try:
                self.start()
            except BaseException:
                self.stop()
                raise
        else:
            self.answers() or self.absent()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        LOCAL.mkdir(exist_ok=True)
        self.scratch = Path(tempfile.mkdtemp(prefix="flagpost-emulator-"))
        port = free_port()
        self.endpoint = f"http://127.0.0.1:{port}"
        # The functions inherit the emulator's whole environment: they get this, and nothing of the user's.
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.scratch),
            "TMPDIR": str(self.scratch),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint,
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "IOT_MTLS_ENABLED": "0",
        }
        if "FLAGPOST_LOG" in os.environ:
            environment["FLAGPOST_LOG"] = os.environ["FLAGPOST_LOG"]
        # Never a process that nobody knows of.
        with uninterrupted(), open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [tool("ministack")],
                env=environment,
                cwd=self.scratch,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches us alone, and we stop it in order
            )
        deadline = time.monotonic() + 60
        while not self.answers():
            if self.process.poll() is not None:
                raise Failed(f"MiniStack ended at once; see {self.log}")
            if time.monotonic() > deadline:
                raise Failed(f"MiniStack does not answer at {self.endpoint}; see {self.log}")
            time.sleep(0.1)

    def stop(self):
        with uninterrupted():
            if self.process:
                signal_group(self.process.pid, signal.SIGTERM)
                try:
                    self.process.wait(timeout=5)
                except subprocess.TimeoutExpired:
                    pass
                # Functions that are still there are in the session that we made for the emulator.
                signal_group(self.process.pid, signal.SIGKILL)
                self.process.wait()
                self.process = None
            if self.scratch:
                shutil.rmtree(self.scratch, ignore_errors=True)

    def answers(self):
        where = urlsplit(self.endpoint)
        for path in ("/_ministack/health", "/_localstack/health"):
            connection = http.client.HTTPConnection(where.hostname, where.port or 80, timeout=2)
            try:
                connection.request("GET", path)
                if connection.getresponse().status == 200:
                    return True
            except OSError:
                pass
            finally:
                connection.close()
        return False

    def absent(self):
        raise Failed(f"no emulator answers at {self.endpoint}")


def directly(environment, endpoint):
    """An environment in which clients go to the emulator and to 127.0.0.1 through no proxy."""
    listed = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
    hosts = ",".join(filter(None, (listed, "127.0.0.1", "localhost", urlsplit(endpoint).hostname)))
    return {**environment, "NO_PROXY": hosts, "no_proxy": hosts}


def signal_group(group, number):
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
