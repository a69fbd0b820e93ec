"""The running API held against its own description (/openapi.json) by schemathesis, with a fixed seed.

Two runs: one with a project and an integration that are there, which tries the limits of every field too, and one with
identifiers that are made up, as every other value is. What an admin key can do must have succeeded at least once: a run in which
everything is refused shows nothing.
"""

import json
import os
import shutil
import tempfile
from pathlib import Path

from api import Api
from emulator import directly
from project import LOCAL, ROOT, say
from tools import run, tool

SEED = 20261121
# The first is not to be left out: 500 and 503 are described, and so are right by the others.
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
# Cases made up for each operation, beside those that the description's own limits give.
EXAMPLES = 12
# Deleting what the other operations need would leave nothing to see.
DELETIONS = ["delete_project", "delete_integration", "revoke_key", "delete_admin_key"]

# They want a delivery that is laid aside at that moment: the end-to-end tests of replays have some.
NEED_A_DELIVERY = {"read_delivery", "replay_delivery"}

# Of what the vendors' SDKs send, the description says little: there are no limits to try.
VENDORS = "sending events: vendors' SDKs"


def check(emulator, stack, admin_key):
    """Whether every answer is as it is described. It says how many cases there were."""
    api = Api(emulator.endpoint, stack.outputs["ApiId"])
    # Events go to a project without integrations: what is made up is sent nowhere.
    ingest_key = make_project(api, admin_key, "conformance-events")
    # The project of the description's examples.
    make_project(api, admin_key, "shop")
    integration = {"name": "Warehouse", "url": "https://example.com/", "preset": "split"}
    made = api.call("POST", "/v1/projects/shop/integrations", admin_key, integration)
    names = {"project": "shop", "integration": made["id"]}
    LOCAL.mkdir(exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="conformance-", dir=LOCAL))
    try:
        document = directory / "openapi.json"
        document.write_text(json.dumps(api.call("GET", "/openapi.json", "")))
        keys = (admin_key, ingest_key)
        said = []
        left_out = [word for one in DELETIONS for word in ("--exclude-operation-id", one)]
        left_out += ["--exclude-tag", VENDORS]
        phases = "examples,coverage,fuzzing"
        passed = once(directory, document, emulator, api, keys, "real", names, phases, left_out, said)
        passed &= once(directory, document, emulator, api, keys, "made up", {}, "examples,fuzzing", [], said)
        return passed & succeeded(json.loads(document.read_text()), said)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def once(directory, document, emulator, api, keys, purpose, parameters, phases, choice, said):
    port = api.where.port or 80
    configuration = directory / "schemathesis.toml"
    configuration.write_text(configured(keys, f"{api.host}:{port}", parameters))
    report = directory / "report.ndjson"
    command = [
        tool("st"), "--config-file", configuration, "run", document, "--url", emulator.endpoint,
        "--checks", CHECKS, "--phases", phases, "--max-examples", EXAMPLES, "--seed", SEED,
        "--workers", 1, "--continue-on-failure", "--no-color", "--warnings", "off",
        "--report", "ndjson", "--report-ndjson-path", report, "--output-sanitize", "true", *choice,
    ]  # fmt: skip
    log = LOCAL / f"conformance-{purpose.replace(' ', '-')}.log"
    with open(log, "w") as output:
        status = run(command, cwd=directory, stdout=output, stderr=output, env=directly(os.environ, emulator.endpoint))
    answers = list(answered(report))
    said += answers
    good = sum(status < 300 for _, status in answers)
    say(f"schemathesis, identifiers {purpose}: {len(answers)} cases, {good} of them with success")
    if status != 0:
        say(f"the API is not as it is described; see {log.relative_to(ROOT)}:\n{log.read_text()[-4000:]}")
    return status == 0


def configured(keys, host, parameters):
    """Which key each operation takes, and what its path names: settings that have no option."""
    admin_key, ingest_key = keys
    fixed = "".join(f'"path.{name}" = {json.dumps(value)}\n' for name, value in parameters.items())
    return f"""
headers = {{ Host = "{host}", Authorization = "Bearer {admin_key}" }}

[parameters]
{fixed}
# Methods that the description does not have are answered by the gateway.
[phases.coverage]
unexpected-methods = []

# Its filters are alternatives, not conditions.
[[operations]]
include-path-regex = "^/(api|v1/(impressions|events|identities|log_event|rgstr|webhooks))"
headers = {{ Host = "{host}", Authorization = "Bearer {ingest_key}", STATSIG-API-KEY = "{ingest_key}" }}
"""


def answered(report):
    """Operation and status of every request, by the report."""
    if not report.is_file():
        return
    with open(report) as lines:
        for line in lines:
            recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
            for one in recorder.get("interactions", {}).values():
                if one["response"]:
                    yield recorder["label"], one["response"]["status_code"]


def succeeded(document, said):
    """Whether everything that takes an admin key was answered with success at least once, but for deletions and what
    wants a delivery."""
    good = {label for label, status in said if status < 300}
    wanted = {
        f"{method.upper()} {path}"
        for path, item in document["paths"].items()
        for method in ("get", "post", "patch")
        if method in item
        and "security" not in item[method]
        and item[method]["operationId"] not in NEED_A_DELIVERY
    }
    if missed := sorted(wanted - good):
        say("schemathesis: never answered with success: " + ", ".join(missed))
    return not missed


def make_project(api, admin_key, project):
    """A project, and an ingest key of it."""
    api.call("POST", "/v1/projects", admin_key, {"id": project})
    key = {"name": "conformance", "environment": {"id": "test", "name": "Test"}}
    return api.call("POST", f"/v1/projects/{project}/keys", admin_key, key)["key"]
