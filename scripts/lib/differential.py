"""The differential test of the payload templates: builds both sides, runs the cases through each, and compares."""

import argparse
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import rust
from differential_cases import Cases
from project import LOCAL, ROOT, Failed, say, step
from tools import call

SOURCE = ROOT / "tests" / "differential" / "Render.java"
FIXTURES = ROOT / "shared" / "template" / "tests" / "fixtures"
JARS = (Path("/usr/share/java/freemarker.jar"), Path("/opt/homebrew/share/java/freemarker.jar"))
BATCH = 5000

# Errors where this refuses, on purpose, what FreeMarker renders; docs/templates.md lists them with reasons.
REFUSALS = (
    r"(?:is|are) not supported",
    r"not supported",
    r"nesting is deeper",
    r"nests deeper",
    r"exceeds? \d+",
    r"may be written in several ways",
    r"only texts of ASCII characters can be sorted",
    r"outside of the years",
    r"takes two places",
    r"would be cut in half",
    r"a number is out of range",
    r"for ASCII (?:texts )?only",
    r"field of the date is out of its range",
    r"the date does not exist",
    r"pattern is needed to read a date",
    r"more than \d+ digits",
    r"takes .*, and \d+ are given",
)


def main():
    arguments = parse()
    jar = tools(arguments.jar)
    classes = compile_java(jar)
    ours = compile_rust()
    cases = Cases(arguments.seed, FIXTURES)
    counts, reasons, wrong = Counter(), Counter(), []
    step(f"{arguments.cases} cases from seed {arguments.seed}")
    done = 0
    while done < arguments.cases:
        batch = [cases.next() for _ in range(min(BATCH, arguments.cases - done))]
        done += len(batch)
        theirs = run([shutil.which("java"), "-cp", f"{jar}:{classes}", "Render"], batch)
        mine = run([ours], batch)
        for case, java, rust_answer in zip(batch, theirs, mine, strict=True):
            verdict, reason = judge(java, rust_answer)
            counts[verdict] += 1
            if verdict == "refused":
                reasons[reason] += 1
            if verdict == "WRONG":
                wrong.append((case, java, rust_answer))
        step(f"{done} cases: " + ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())))
    report(counts, reasons, wrong, arguments)
    return 1 if wrong else 0


def parse():
    parser = argparse.ArgumentParser(
        prog="differential-template",
        description="Makes templates from a seed, renders each by Apache FreeMarker and by shared/template, and "
        "compares: the same output, an error on both sides, or an error here that names what is not supported.",
    )
    parser.add_argument("--cases", type=int, default=2000, help="how many templates (default: 2000)")
    parser.add_argument("--seed", type=int, default=1, help="where the templates come from (default: 1)")
    parser.add_argument("--jar", type=Path, help="freemarker.jar of 2.3.31 (default: where Debian puts it)")
    parser.add_argument("--show", type=int, default=10, help="how many wrong cases are printed (default: 10)")
    return parser.parse_args()


def tools(jar):
    """FreeMarker's jar, after Java was looked for."""
    for program in ("java", "javac"):
        if not shutil.which(program):
            raise Failed(f"{program} is not on PATH; on Debian and Ubuntu: apt install openjdk-17-jdk-headless")
    found = jar or next((jar for jar in JARS if jar.is_file()), None)
    if not found or not found.is_file():
        raise Failed(
            "freemarker.jar is not there; on Debian and Ubuntu: apt install libfreemarker-java (2.3.31), "
            "elsewhere give it with --jar"
        )
    return found


def compile_java(jar):
    classes = LOCAL / "differential"
    classes.mkdir(parents=True, exist_ok=True)
    made = classes / "Render.class"
    if not made.is_file() or made.stat().st_mtime < SOURCE.stat().st_mtime:
        step("compiling the Java side")
        call(["javac", "-nowarn", "-Xlint:none", "-cp", jar, "-d", classes, SOURCE], stderr=subprocess.DEVNULL)
    return classes


def compile_rust():
    rust.required()
    step("building the Rust side")
    command = ["cargo", "build", "--quiet", "--locked", "--release", "-p", "flagpost-template"]
    command += ["--example", "render_lines", "--message-format", "json-render-diagnostics"]
    built = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if built.returncode != 0:
        raise Failed("the Rust side does not build")
    for line in built.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable"):
            return message["executable"]
    raise Failed("cargo did not say where the example is")


def run(command, batch):
    lines = "".join(json.dumps(case) + "\n" for case in batch)
    result = subprocess.run(command, input=lines, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    if result.returncode != 0 or len(answers) != len(batch):
        sys.stderr.write(result.stderr)
        raise Failed(f"{Path(command[0]).name} ended with status {result.returncode} after {len(answers)} cases")
    return answers


def judge(java, ours):
    error = ours.get("refused") or ours.get("failed")
    if "output" in java:
        if error is None:
            # Half of a character that takes two places: Java, too, encodes it as a question mark.
            output = java["output"].encode("utf-8", "replace").decode()
            return ("same", "") if output == ours["output"] else ("WRONG", "")
        known = next((pattern for pattern in REFUSALS if re.search(pattern, error)), None)
        return ("refused", reason(error)) if known else ("WRONG", "")
    if error is None:
        return ("unending", "") if java.get("failed", "").startswith("no end") else ("WRONG", "")
    return ("errors", "")


def reason(error):
    """An error without its place and its numbers."""
    message = re.sub(r"^line \d+, column \d+: ", "", error)
    message = re.sub(r"; these are: .*", "", message)
    return re.sub(r"\d+", "N", message)[:100]


def report(counts, reasons, wrong, arguments):
    say()
    for verdict, count in sorted(counts.items()):
        say(f"{count:7}  {verdict}")
    for message, count in reasons.most_common():
        say(f"{count:9}  refused: {message}")
    wrong.sort(key=lambda found: len(found[0]["template"]))
    for case, java, ours in wrong[: arguments.show]:
        say("\n--- WRONG")
        say(f"template: {case['template']!r}")
        say(f"event:    {case['event']}")
        say(f"java:     {java}")
        say(f"ours:     {ours}")
    if wrong:
        say(f"\n{len(wrong)} cases differ; --seed {arguments.seed} --cases {arguments.cases} makes them again")
