"""Where things are, how the scripts speak, and how they are stopped."""

import os
import signal
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / ".local"  # everything the scripts make, but for .venv and target/
BEGAN = time.monotonic()
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # Ctrl-C, and what means the same: kill, a closed terminal


class Failed(Exception):
    """Something that the user should read in one line, without a traceback."""


def say(line=""):
    # In one write: threads speak too.
    try:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except OSError:
        # The terminal or the pipe is gone, and with it whoever this was for.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise KeyboardInterrupt from None


def step(line):
    """What is being done now, with the seconds since the script began."""
    say(f"[{time.monotonic() - BEGAN:6.1f} s] {line}")


@contextmanager
def uninterrupted():
    """Ctrl-C and the like wait until the end of the block, so that it is done whole."""
    came = []
    before = {number: signal.signal(number, lambda *_: came.append(True)) for number in STOPS if heard(number)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        raise KeyboardInterrupt


def heard(number):
    """`nohup` starts what it runs with SIGHUP ignored, and means it."""
    return signal.getsignal(number) != signal.SIG_IGN


def run_main(main):
    """Runs a script: a `Failed` becomes one line and status 1; Ctrl-C, SIGTERM and SIGHUP unwind it, status 130."""
    for number in filter(heard, STOPS):
        signal.signal(number, signal.default_int_handler)
    try:
        sys.exit(main())
    except Failed as failure:
        say(f"{os.path.basename(sys.argv[0])}: {failure}")
        sys.exit(1)
    except KeyboardInterrupt:
        for number in STOPS:  # all is undone: a further one has nothing to stop
            signal.signal(number, signal.SIG_IGN)
        with suppress(KeyboardInterrupt):
            say("stopped")
        sys.exit(130)
