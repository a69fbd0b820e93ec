"""Runs a program at a terminal of its own, as a person would, and says what it showed there.

Standard input holds JSON: `command`, its words, and `environment`, all of it. Standard output gets `status`, the exit
status, and `shown`, everything that came to the terminal.
"""

import fcntl
import json
import os
import pty
import struct
import sys
import termios


def main():
    given = json.load(sys.stdin)
    child, terminal = pty.fork()
    if child == 0:
        os.execve(given["command"][0], given["command"], {"TERM": "xterm", **given["environment"]})
    # Rows and columns, wide enough for a line not to be broken.
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
    shown = b""
    while some := read(terminal):
        shown += some
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    json.dump({"status": status, "shown": shown.decode(errors="replace")}, sys.stdout)


def read(terminal):
    """What came since; nothing when the program has ended, which Linux says by an error."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


if __name__ == "__main__":
    main()
