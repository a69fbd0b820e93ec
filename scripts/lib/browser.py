"""The console's tests, and their browser: a Chromium of the system's, and what drives it, from a lock."""

import os
import shutil
import subprocess

import locked
import tools
from emulator import directly
from project import LOCAL, ROOT, Failed, step

TESTS = ROOT / "tests" / "console"
NAMES = ("chromium", "chromium-headless-shell", "google-chrome", "google-chrome-stable")
PACKAGES = ("chromium", "fonts-dejavu-core")


def python():
    """The path of the Python that has Playwright; its own browsers are not fetched."""
    return locked.environment("browser", ROOT / "tests" / "console" / "requirements.txt")


def chromium():
    """The path of a Chromium; on Debian and Ubuntu it is installed where that is possible without asking anybody."""
    found = os.environ.get("FLAGPOST_TEST_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        return found
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Failed("a Chromium is needed; on Debian: apt install chromium. Or set FLAGPOST_TEST_CHROMIUM to its path")
    step("installing " + ", ".join(PACKAGES) + " (once)")
    quiet = {"stdout": subprocess.DEVNULL, "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
    tools.call(["apt-get", "update", "--quiet"], **quiet)
    tools.call(["apt-get", "install", "--quiet", "--yes", "--no-install-recommends", *PACKAGES], **quiet)
    if found := shutil.which(NAMES[0]):
        return found
    raise Failed("chromium was installed, and is not there")


def run(which, environment, **options):
    """The exit status of some of the tests; what they look at is kept in .local/console."""
    screenshots = LOCAL / "console"
    (screenshots / "failed.png").unlink(missing_ok=True)
    environment = {
        **environment,
        "FLAGPOST_TEST_CHROMIUM": chromium(),
        "FLAGPOST_TEST_SCREENSHOTS": str(screenshots),
    }
    return tools.run([python(), "-m", "unittest", *which], cwd=TESTS, env=environment, **options)


def alone(which=(), **options):
    """The exit status of the tests that need no stack, or of `which` of them."""
    which = ["-v", *which] if which else ["discover", "-v", "--pattern", "*_test.py"]
    return run(which, os.environ, **options)


def walk(emulator, stack, admin_key, which=(), **options):
    """Whether the console does on a deployed stack what an operator wants of it, or `which` tests of that."""
    environment = {
        **directly(os.environ, emulator.endpoint),
        "FLAGPOST_TEST_ENDPOINT": emulator.endpoint,
        "FLAGPOST_TEST_ADMIN_KEY": admin_key,
        "FLAGPOST_TEST_API": stack.outputs["ApiId"],
        # The receiver, and a client of the API.
        "PYTHONPATH": str(ROOT / "scripts" / "lib"),
    }
    return run(["-v", *(which or ["stack_walk"])], environment, **options) == 0
