"""Where things are, and how the scripts speak."""

import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / ".local"  # everything the scripts make, but for .venv and target/
BEGAN = time.monotonic()


class Failed(Exception):
    """Something that the user should read in one line, without a traceback."""


def say(line=""):
    # In one write: threads speak too.
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def step(line):
    """What is being done now, with the seconds since the script began."""
    say(f"[{time.monotonic() - BEGAN:6.1f} s] {line}")


def run_main(main):
    """Runs a script: a `Failed` becomes one line and status 1, Ctrl-C status 130. SIGTERM unwinds like Ctrl-C."""
    import signal

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main())
    except Failed as failure:
        say(f"{os.path.basename(sys.argv[0])}: {failure}")
        sys.exit(1)
    except KeyboardInterrupt:
        say("stopped")
        sys.exit(130)
