"""Python environments of the tests' own, each made from a lock, with hashes; the scripts' own is made in tools.py."""

import hashlib
import os
import shutil
import sys
import venv

from project import LOCAL, ROOT, step
from tools import UV, call, tool


def environment(name, lock):
    """The path of its Python, in .local/`name`; made anew when the lock has changed."""
    home = LOCAL / name
    stamp = home / "made-from"
    wanted = hashlib.sha256(lock.read_bytes() + UV.encode() + sys.version.encode()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        step(f"fetching what is in {lock.relative_to(ROOT)} (once)")
        shutil.rmtree(home, ignore_errors=True)
        venv.create(home)
        call(
            [tool("uv"), "pip", "install", "--quiet", "--require-hashes", "-r", lock],
            env={**os.environ, "VIRTUAL_ENV": str(home)},
        )
        stamp.write_text(wanted)
    return home / "bin" / "python"
