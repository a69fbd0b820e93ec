import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bench_node
import bench_zip
import promises
from project import ROOT


class Zip(unittest.TestCase):
    def test_what_repeats_itself_is_small_and_what_does_not_is_not(self):
        with tempfile.TemporaryDirectory() as directory:
            binary = Path(directory) / "batch"
            binary.write_bytes(b"flagpost" * 100_000)
            self.assertLess(bench_zip.zip_bytes(binary), 10_000)

    def test_the_target_itself_is_met(self):
        self.assertEqual(bench_zip.verdict(6_000_000)[0], True)
        met, line = bench_zip.verdict(6_000_001)
        self.assertFalse(met)
        self.assertIn("MISSED", line)


class Environment(unittest.TestCase):
    def test_batch_is_measured_with_every_setting_that_it_starts_with(self):
        function = promises.read()["Resources"]["BatchFunction"]["Properties"]
        needed = set(function["Environment"]["Variables"]) - {"FLAGPOST_LOG"}
        given = (ROOT / "tests" / "bench" / "src" / "processes.rs").read_text()
        self.assertGreater(len(needed), 15)
        self.assertEqual([name for name in sorted(needed) if f'"{name}"' not in given], [])


class Fingerprint(unittest.TestCase):
    def test_it_changes_with_each_lock(self):
        with tempfile.TemporaryDirectory() as directory:
            source = Path(directory)
            seen = set()
            for name in bench_node.LOCKS:
                (source / name).write_text("one")
            seen.add(bench_node.fingerprint(source))
            for name in bench_node.LOCKS:
                (source / name).write_text("two")
                seen.add(bench_node.fingerprint(source))
            self.assertEqual(len(seen), 1 + len(bench_node.LOCKS))

    def test_what_is_copied_is_there(self):
        for name in bench_node.LOCKS + bench_node.CODE:
            self.assertTrue((bench_node.SOURCE / name).is_file(), name)


if __name__ == "__main__":
    unittest.main()
