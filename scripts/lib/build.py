"""The functions for a local run: built once with cargo, laid out as `sam deploy` wants them.

`sam build` has a target tree of its own and would compile every dependency a second time.
"""

import platform
import re
import shutil
import subprocess

from project import ROOT, Failed
from tools import call

BINARIES = {"IngestFunction": "ingest", "BatchFunction": "batch", "DrainFunction": "drain", "AdminFunction": "admin"}


def architecture():
    """The host's instruction set, as Lambda names it."""
    machine = platform.machine().lower()
    return {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}.get(machine) or fail(machine)


def fail(machine):
    raise Failed(f"Lambda has no instruction set like this machine's: {machine}")


def build():
    packages = [flag for name in BINARIES.values() for flag in ("-p", name)]
    call(["cargo", "build", "--quiet", *packages])


def lay_out(directory):
    """Puts binaries and template into `directory`, and gives the template's path.

    It is not .aws-sam/build, so that a later `sam deploy` by hand cannot pick up a development build.
    """
    template = (ROOT / "template.yaml").read_text()
    for function, binary in BINARIES.items():
        (directory / function).mkdir(parents=True)
        bootstrap = directory / function / "bootstrap"
        built = target_directory() / "debug" / binary
        # Symbols are most of a development build, and every byte is zipped and uploaded.
        if not (shutil.which("strip") and subprocess.run(["strip", "-o", bootstrap, built]).returncode == 0):
            shutil.copy2(built, bootstrap)
        template, times = re.subn(
            rf"^(  {function}:\n(?:    .*\n)*?      CodeUri:) \.$", rf"\1 {function}", template, flags=re.MULTILINE
        )
        if times != 1:
            raise Failed(f"template.yaml: {function} has no line `CodeUri: .`")
    path = directory / "template.yaml"
    path.write_text(template)
    return path


def target_directory():
    import json
    from pathlib import Path

    said = subprocess.run(
        ["cargo", "metadata", "--no-deps", "--format-version", "1", "--offline"], cwd=ROOT, capture_output=True, text=True
    )
    return Path(json.loads(said.stdout)["target_directory"]) if said.returncode == 0 else ROOT / "target"
