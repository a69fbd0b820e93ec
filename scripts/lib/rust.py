"""The Rust toolchain and the C compiler, which the scripts use and do not bring."""

import re
import shutil
import subprocess

from project import ROOT, Failed

FROM = "https://rustup.rs is where it comes from"


def required():
    """Refuses to go on without cargo, the Rust that Cargo.toml asks for, and a C compiler."""
    wanted = re.search(r'^rust-version = "([0-9.]+)"$', (ROOT / "Cargo.toml").read_text(), re.MULTILINE).group(1)
    for program in ("cargo", "rustc"):
        if not shutil.which(program):
            raise Failed(f"{program} is not on PATH: install Rust {wanted} or newer, {FROM}")
    asked = subprocess.run(["rustc", "--version"], cwd=ROOT, capture_output=True, text=True)
    found = re.match(r"rustc ([0-9]+(?:\.[0-9]+)+)", asked.stdout)
    if asked.returncode != 0 or not found:
        raise Failed(f"rustc --version failed: {(asked.stderr or asked.stdout).strip()}")
    if numbers(found.group(1)) < numbers(wanted):
        raise Failed(f"Rust {wanted} or newer is needed, this is {found.group(1)}: `rustup update`, or {FROM}")
    if not shutil.which("cc"):
        raise Failed("cc, a C compiler, is not on PATH; on Debian and Ubuntu: apt install gcc libc6-dev")


def numbers(version):
    return [int(part) for part in version.split(".")]


def components(*names):
    """Asks rustup for components that are absent; without rustup they must be there already."""
    from tools import call

    needed = {"clippy": "cargo-clippy", "rustfmt": "cargo-fmt"}
    for name in names:
        program = needed[name]
        there = subprocess.run(["cargo", program.removeprefix("cargo-"), "--version"], capture_output=True, cwd=ROOT)
        if there.returncode == 0:
            continue
        if not shutil.which("rustup"):
            raise Failed(f"{program} is missing, and there is no rustup to add it with")
        call(["rustup", "component", "add", name])
