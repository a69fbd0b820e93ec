"""The commands of docs/operations.md are ones that there are: run by scripts/test.

Calls of the AWS CLI are held against the services' descriptions that botocore has, outputs and parameters against the
template, and the names of scripts and options against themselves.
"""

import re
import shlex
import subprocess
import unittest

import botocore.session
import promises
from botocore import xform_name
from project import ROOT

PAGE = (ROOT / "docs/operations.md").read_text()
TEMPLATE = promises.read()
BLOCKS = [block.replace("\\\n", " ") for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)]
INLINE = [text.replace("\n", " ") for text in re.findall(r"`(aws [^`]+)`", PAGE)]
# What the AWS CLI takes for every command.
GLOBAL = {"query", "output", "region", "cli-binary-format"}
SESSION = botocore.session.get_session()


def calls():
    """Service, operation and the rest of each call of the AWS CLI."""
    for text in [*BLOCKS, *INLINE]:
        for line in text.splitlines():
            inside = re.findall(r"\$\((aws (?:'[^']*'|[^()'])*)\)", line)
            for call in inside + re.findall(r"^(?:until_is \w+ )?(aws .*)", line.strip()):
                words = shlex.split(call.split(" | ")[0], comments=True)
                yield words[1], words[2], words[3:]


class Commands(unittest.TestCase):
    def test_what_is_to_be_pasted_is_shell(self):
        for block in BLOCKS:
            with self.subTest(block):
                said = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True)
                self.assertEqual((said.returncode, said.stderr), (0, ""))

    def test_there_are_some(self):
        self.assertGreater(len(list(calls())), 20)

    def test_calls_of_the_aws_cli_name_operations_and_members_that_there_are(self):
        for service, operation, words in calls():
            with self.subTest(f"{service} {operation}"):
                model = SESSION.get_service_model(service)
                if operation == "wait":
                    waiters = SESSION.get_waiter_model(service)
                    waiter = {xform_name(name, "-"): name for name in waiters.waiter_names}[words[0]]
                    name = waiters.get_waiter(waiter).operation
                else:
                    name = {xform_name(name, "-"): name for name in model.operation_names}[operation]
                shape = model.operation_model(name).input_shape
                members = {xform_name(member, "-"): shape.members[member] for member in shape.members}
                given = [word.removeprefix("--") for word in words if word.startswith("--")]
                for option in given:
                    flag = option.removeprefix("no-")
                    known = option in GLOBAL or option in members or (
                        flag in members and members[flag].type_name == "boolean"
                    )  # fmt: skip
                    self.assertTrue(known, f"--{option}")
                required = {xform_name(member, "-") for member in shape.required_members}
                self.assertLessEqual(required, set(given), "required, and not given")

    def test_outputs_and_parameters_are_the_templates(self):
        text = "\n".join(BLOCKS + INLINE)
        outputs = set(re.findall(r"(?:output|arn) \"?([A-Z]\w+)", text)) | set(re.findall(r"\b\w+FunctionName\b", text))
        self.assertGreater(len(outputs), 4)
        self.assertLessEqual(outputs, set(TEMPLATE["Outputs"]))
        overridden = set(re.findall(r"--parameter-overrides \"?(\w+)=", text))
        self.assertEqual(overridden, {"AdminKeySha256"})
        tables = set(re.findall(r"`([A-Z]\w+(?:Days|Seconds|Concurrency|Namespace|Bytes|PerRequest|Endpoints))`", PAGE))
        self.assertGreater(len(tables), 8)
        self.assertLessEqual(tables, set(TEMPLATE["Parameters"]))

    def test_the_sizes_are_the_templates(self):
        functions = promises.named(TEMPLATE, "AWS::Serverless::Function")
        sizes = {name.removesuffix("Function").lower(): one["MemorySize"] for name, one in functions.items()}
        for name, size in sizes.items():
            self.assertIn(f"`{name}` {size}", PAGE)
        parameters = TEMPLATE["Parameters"]
        for name in ("ParkedRetentionDays", "DeadRetentionDays"):
            self.assertIn(f"`{name}` ({parameters[name]['Default']})", PAGE)

    def test_links_lead_to_what_is_there(self):
        headings = re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
        anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
        for anchor in re.findall(r"\]\(#([^)]+)\)", PAGE):
            self.assertIn(anchor, anchors)
        for path in re.findall(r"\]\(([\w./]+\.md)", PAGE):
            self.assertTrue((ROOT / "docs" / path).is_file(), path)
        for path in re.findall(r"`((?:shared|scripts|tests)/[\w/]+(?:\.\w+)?)`", PAGE):
            self.assertTrue((ROOT / path).exists(), path)


if __name__ == "__main__":
    unittest.main()
