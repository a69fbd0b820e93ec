"""The Python of the tests' SDKs: those of Split, Statsig and Amplitude, and a verifier of Standard Webhooks, from a lock."""

import hashlib
import os
import shutil
import sys
import venv

from project import LOCAL, ROOT, step
from tools import UV, call, tool

LOCK = ROOT / "tests" / "e2e" / "sdks" / "requirements.txt"
HOME = LOCAL / "sdks"
STAMP = HOME / "made-from"


def python():
    """Its path. The environment is made anew when the lock has changed; the tools' own has none of these packages."""
    wanted = hashlib.sha256(LOCK.read_bytes() + UV.encode() + sys.version.encode()).hexdigest()
    if not STAMP.is_file() or STAMP.read_text() != wanted:
        step(f"fetching the SDKs of {LOCK.relative_to(ROOT)} (once)")
        shutil.rmtree(HOME, ignore_errors=True)
        venv.create(HOME)
        call(
            [tool("uv"), "pip", "install", "--quiet", "--require-hashes", "-r", LOCK],
            env={**os.environ, "VIRTUAL_ENV": str(HOME)},
        )
        STAMP.write_text(wanted)
    return HOME / "bin" / "python"
