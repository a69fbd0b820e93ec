"""The commands of docs/operations.md for a table that must go back are safe to paste: run by scripts/test.

They are read from the page and run in bash against an `aws` that writes down what it was asked. Nothing is known by that
of what AWS would answer; it is seen what is done, in which order, and what is not done after something failed.
"""

import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from project import ROOT

PAGE = (ROOT / "docs/operations.md").read_text()
BACKUP = "arn:aws:dynamodb:eu-central-1:123456789012:table/flagpost-Table/backup/01"
# An operation with a file `fails-…` is refused; what is in a file `first-…` is its first answer.
FAKE = r"""#!/bin/bash
echo "$*" >> "$STATE/asked"
[ -e "$STATE/fails-$2" ] && { echo "$2 was refused" >&2; exit 254; }
if [ -s "$STATE/first-$2" ]; then cat "$STATE/first-$2"; rm "$STATE/first-$2"; exit; fi
case "$2" in
  describe-stacks) case "$*" in *TableName*) echo flagpost-Table ;; *) echo flagpost-Function ;; esac ;;
  list-event-source-mappings) printf 'one\ttwo\n' ;;
  get-event-source-mapping) echo Disabled ;;
  describe-table) case "$*" in *DeletionProtectionEnabled*) cat "$STATE/protected" ;; *) echo ACTIVE ;; esac ;;
  create-backup | list-backups) echo BACKUP_ARN ;;
  describe-backup) cat "$STATE/backup" ;;
esac
""".replace("BACKUP_ARN", BACKUP)


def blocks(begin, end):
    """The blocks of shell between these two texts of the page."""
    return re.findall(r"```sh\n(.*?)```", PAGE.split(begin, 1)[1].split(end, 1)[0], re.DOTALL)


BEFORE = blocks("# Operations", "## Metrics") + blocks("### What is where", "### What was deleted by mistake")
DELETED = blocks("**It was deleted.**", "**Everything must go back")
BACK = blocks("**Everything must go back", "#### Afterwards")
DELETE = BACK[3]
AFTERWARDS = blocks("#### Afterwards", "### What an earlier table means")


class Shell:
    """Bash with the fake; `fails` names operations that are refused."""

    def __init__(self, fails=(), backup="AVAILABLE", protected="True"):
        self.fails, self.backup, self.protected = fails, backup, protected

    def paste(self, *pasted):
        """What was asked of AWS, and what was said on standard error, when these are pasted one after the other."""
        with tempfile.TemporaryDirectory() as folder:
            state, tools = Path(folder) / "state", Path(folder) / "tools"
            state.mkdir(), tools.mkdir()
            for name, text in (("aws", FAKE), ("sleep", "#!/bin/sh\n")):
                (tools / name).write_text(text)
                (tools / name).chmod(0o755)
            for operation in self.fails:
                (state / f"fails-{operation}").touch()
            (state / "backup").write_text(self.backup)
            (state / "protected").write_text(self.protected)
            (state / "first-describe-table").write_text("CREATING")
            (state / "first-get-event-source-mapping").write_text("Disabling")
            environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "STATE": str(state)}
            done = subprocess.run(
                ["bash"], input="\n".join([*BEFORE, *pasted]), env=environment, capture_output=True, text=True, timeout=60
            )
            asked = (state / "asked").read_text().splitlines()
            return [line for line in asked if " describe-stacks " not in line], done


def operations(asked):
    return [line.split()[1] for line in asked]


class GoingBack(unittest.TestCase):
    def test_the_page_has_them(self):
        self.assertEqual([len(part) for part in (BEFORE, DELETED, BACK, AFTERWARDS)], [2, 1, 5, 2])
        self.assertEqual(["delete-table" in block for block in BACK], [False, False, False, True, False])

    def test_the_whole_goes_in_order(self):
        asked, done = Shell().paste(*BACK, *AFTERWARDS)
        self.assertIn(f"ready: BACKUP={BACKUP}", done.stdout)
        order = [
            "update-event-source-mapping", "restore-table-to-point-in-time", "create-backup", "describe-backup", "delete-table",
            "wait", "restore-table-from-backup", "update-time-to-live", "update-continuous-backups", "invoke",
        ]  # fmt: skip
        seen = operations(asked)
        places = [seen.index(operation) for operation in order]
        self.assertEqual(places, sorted(places))
        self.assertEqual(seen.count("delete-table"), 1)
        self.assertIn("dynamodb delete-table --table-name flagpost-Table --query", asked[seen.index("delete-table")])
        # Each waits until it is so: the first answer is another one.
        self.assertEqual(done.stdout.count("not ACTIVE yet"), 1)
        self.assertEqual(done.stdout.count("not Disabled yet"), 1)
        mappings = [line for line in asked if " update-event-source-mapping " in line]
        self.assertEqual(["--no-enabled" in line for line in mappings], [True] * 4 + [False] * 4)
        protection = [re.search(r"--(?:no-)?deletion-protection-enabled", line) for line in asked]
        turned = [(found[0], place) for place, found in enumerate(protection) if found]
        self.assertEqual([flag for flag, _ in turned], ["--no-deletion-protection-enabled", "--deletion-protection-enabled"])
        self.assertTrue(turned[0][1] < places[order.index("delete-table")] < turned[1][1])

    def test_a_table_without_protection_is_not_updated_first(self):
        asked, _ = Shell(protected="False").paste(*BACK)
        self.assertNotIn("update-table", operations(asked))
        self.assertIn("delete-table", operations(asked))

    def test_nothing_is_deleted_after_a_step_that_failed(self):
        # Of a table that was not made there is no backup either.
        for failing in (["restore-table-to-point-in-time", "create-backup"], ["create-backup"]):
            with self.subTest(failing):
                asked, done = Shell(fails=failing).paste(*BACK[:4])
                self.assertNotIn("delete-table", operations(asked))
                self.assertIn("nothing was deleted", done.stderr)
                self.assertNotIn("ready", done.stdout)

    def test_nothing_is_deleted_for_a_backup_that_is_not_there(self):
        for shell in (Shell(backup="CREATING"), Shell(backup="DELETED"), Shell(fails=["describe-backup"])):
            asked, done = shell.paste(f"BACKUP={BACKUP}", DELETE)
            self.assertEqual(operations(asked), ["describe-backup"])
            self.assertIn("nothing was deleted", done.stderr)
        asked, _ = Shell().paste(f"BACKUP={BACKUP}", DELETE)
        self.assertIn("delete-table", operations(asked), "and otherwise it is")

    def test_nothing_takes_the_name_of_a_table_that_is_there(self):
        asked, _ = Shell(fails=["wait"]).paste(f"BACKUP={BACKUP}", BACK[4])
        self.assertEqual(operations(asked), ["wait"])

    def test_a_deleted_table_comes_back_from_its_last_backup(self):
        asked, _ = Shell().paste(*DELETED)
        self.assertEqual(operations(asked), ["list-backups", "restore-table-from-backup", *["describe-table"] * 2])
        self.assertIn(f"--target-table-name flagpost-Table --backup-arn {BACKUP}", asked[1])
        # In a new shell, hours later.
        afterwards, _ = Shell().paste(*AFTERWARDS)
        self.assertEqual(operations(afterwards).count("update-event-source-mapping"), 4)

    def test_a_backup_that_failed_can_be_made_again(self):
        asked, done = Shell().paste(BACK[2])
        self.assertEqual(operations(asked), ["create-backup", "describe-backup"])
        self.assertIn("ready", done.stdout)


if __name__ == "__main__":
    unittest.main()
