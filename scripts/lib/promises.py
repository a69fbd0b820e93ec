"""What template.yaml promises and no local AWS keeps or refuses: it is read from the template itself.

Each check is a function that takes the parsed template and yields what is wrong, in a line each.
"""

import json
import re

import yaml

from project import ROOT

METRICS = ROOT / "shared/domain/src/metrics.rs"
OPERATIONS = ROOT / "docs/operations.md"
DAY = 86_400
SHORTEST_GAP = 7  # seconds between retry slots: the domain refuses less

DEFAULTS = {
    "Architecture": "arm64",
    "AllowedEndpoints": "",
    "MaxBodyBytes": 4194304,
    "MaxEventsPerRequest": 10000,
    "DeduplicateAmplitude": "on",
    "RetrySlotsSeconds": "60,180,420,900,1800,3600,6300,9900,14400",
    "BreakerBucketSeconds": 60,
    "BreakerSpanSeconds": 30,
    "PauseFirstSeconds": 30,
    "PauseMaxSeconds": 900,
    "HealthyResetSeconds": 600,
    "OldBacklogSeconds": 3600,
    "ParkedRetentionDays": 14,
    "DeadRetentionDays": 30,
    "AttemptsRetentionDays": 7,
    "LogRetentionDays": 30,
    "EventsConcurrency": "0",
    "RetryConcurrency": "0",
    "WakeConcurrency": "0",
    "AlarmTopicArn": "",
    "MetricsNamespace": "Flagpost",
    "BreakerOpeningsAlarmAbove": 5,
    "BacklogAgeAlarmSeconds": 86400,
    "LatencyAlarmMilliseconds": 120000,
    "Tracing": "PassThrough",
}
INDEXES = {"unwell": ["unwell", "integration"], "timers": ["timer", "next_wake_at"]}
LIVE = {"EventsQueue": "EventsDeadLetterQueue", "RetryQueue": "RetryDeadLetterQueue", "WakeQueue": "WakeDeadLetterQueue"}

# What each function is allowed, because its adapters do it: action, on what, and for DynamoDB with which leading keys
# ("" for any).
RECEIVE = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes")
NEEDED = {
    "IngestFunction": {
        ("dynamodb:GetItem", "Table", "KEY#*"),
        ("dynamodb:PutItem", "Table", "SEEN#*"),
        ("sqs:SendMessage", "EventsQueue", ""),
    },
    "BatchFunction": {
        *((action, queue, "") for action in RECEIVE for queue in ("EventsQueue", "RetryQueue")),
        *(("sqs:SendMessage", queue, "") for queue in ("EventsQueue", "RetryQueue", "WakeQueue")),
        ("events:PutEvents", "the default bus", ""),
        *(("sqs:SendMessage", queue, "") for queue in ("EventsDeadLetterQueue", "RetryDeadLetterQueue")),
        *((action, "Table", "PROJECT#*") for action in ("dynamodb:GetItem", "dynamodb:Query")),
        *((action, "Table", "HEALTH#*") for action in ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem")),
        ("dynamodb:UpdateItem", "Table", "LEDGER#*"),
        ("dynamodb:BatchWriteItem", "Table", "ATTEMPTS#*"),
        ("dynamodb:Query", "Table/index/unwell", "1"),
        *(("s3:PutObject", f"Bucket/{place}/*", "") for place in ("parked", "dead")),
        # What is parked and cannot be marked is taken back.
        ("s3:DeleteObject", "Bucket/parked/*", ""),
    },
    "DrainFunction": {
        *((action, "WakeQueue", "") for action in RECEIVE),
        *(("sqs:SendMessage", queue, "") for queue in ("EventsQueue", "RetryQueue", "WakeQueue", "WakeDeadLetterQueue")),
        ("events:PutEvents", "the default bus", ""),
        ("dynamodb:GetItem", "Table", "PROJECT#*"),
        *((action, "Table", "HEALTH#*") for action in ("dynamodb:GetItem", "dynamodb:UpdateItem")),
        ("dynamodb:UpdateItem", "Table", "LEDGER#*"),
        ("dynamodb:BatchWriteItem", "Table", "ATTEMPTS#*"),
        *(("dynamodb:Query", f"Table/index/{index}", "1") for index in ("timers", "unwell")),
        ("s3:ListBucket", "Bucket", ""),
        *((f"s3:{verb}Object", f"Bucket/{place}/*", "") for verb in ("Get", "Put", "Delete") for place in ("parked", "dead")),
    },
    "AdminFunction": {
        *((f"dynamodb:{verb}Item", "Table", "") for verb in ("Get", "Put", "Update", "Delete")),
        ("dynamodb:Query", "Table", ""),
        ("s3:ListBucket", "Bucket", ""),
        *((f"s3:{verb}Object", f"Bucket/{place}/*", "") for verb in ("Get", "Delete") for place in ("parked", "dead")),
        ("s3:PutObject", "Bucket/parked/*", ""),
        *(("sqs:SendMessage", queue, "") for queue in ("EventsQueue", "WakeQueue")),
        ("events:PutEvents", "the default bus", ""),
    },
}


def broken(template):
    """Every promise that the template does not keep."""
    found = []
    for check in CHECKS:
        try:
            found += check(template)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            found.append(f"{check.__name__}: the template has another shape: {error!r}")
    return found


def table(template):
    properties = resource(template, "Table")
    if properties.get("TimeToLiveSpecification") != {"AttributeName": "expires_at", "Enabled": True}:
        yield "Table: time to live is not on, or not by expires_at"
    if properties.get("PointInTimeRecoverySpecification") != {"PointInTimeRecoveryEnabled": True}:
        yield "Table: point-in-time recovery is off"
    if properties.get("SSESpecification") != {"SSEEnabled": True}:
        yield "Table: encryption is off"
    if keys(properties) != ["pk", "sk"]:
        yield f"Table: its keys are {keys(properties)}"
    indexes = {index["IndexName"]: keys(index) for index in properties.get("GlobalSecondaryIndexes", [])}
    if indexes != INDEXES:
        yield f"Table: its indexes are {indexes}, the adapters use {INDEXES}"
    yield from retained(template, "Table")


def bucket(template):
    properties = resource(template, "Bucket")
    encryption = properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", [])
    if not any(rule.get("ServerSideEncryptionByDefault", {}).get("SSEAlgorithm") for rule in encryption):
        yield "Bucket: encryption is off"
    blocked = properties.get("PublicAccessBlockConfiguration", {})
    for name in ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"):
        if blocked.get(name) is not True:
            yield f"Bucket: {name} is off"
    rules = {rule.get("Prefix"): rule for rule in properties.get("LifecycleConfiguration", {}).get("Rules", [])}
    for prefix, parameter in (("parked/", "ParkedRetentionDays"), ("dead/", "DeadRetentionDays")):
        expiry = {"Fn::FindInMap": ["LifecycleDays", {"Ref": parameter}, "Days"]}
        rule = rules.get(prefix, {})
        if rule.get("Status") != "Enabled" or rule.get("ExpirationInDays") != expiry:
            yield f"Bucket: {prefix} does not expire by {parameter}"
        for days in template["Parameters"][parameter]["AllowedValues"]:
            behind = template["Mappings"]["LifecycleDays"].get(str(days), {}).get("Days")
            if behind != days + 7:
                yield f"LifecycleDays: {days} is mapped to {behind}, which is not a week behind {parameter}"
    yield from retained(template, "Bucket")


def queues(template):
    found = named(template, "AWS::SQS::Queue")
    if set(found) != {*LIVE, *LIVE.values()}:
        yield f"there are other queues than the adapters know: {sorted(found)}"
    for name, properties in found.items():
        if properties.get("SqsManagedSseEnabled") is not True:
            yield f"{name}: encryption is off"
        if properties.get("MessageRetentionPeriod") != 14 * DAY:
            yield f"{name}: retention is not 14 days"
    for name, dead in LIVE.items():
        redrive = found.get(name, {}).get("RedrivePolicy")
        if redrive != {"deadLetterTargetArn": {"Fn::GetAtt": [dead, "Arn"]}, "maxReceiveCount": 100}:
            yield f"{name}: what is received 100 times does not go to {dead}"


def mappings(template):
    functions, found = named(template, "AWS::Serverless::Function"), named(template, "AWS::SQS::Queue")
    mapped = set()
    for name, properties in named(template, "AWS::Lambda::EventSourceMapping").items():
        if properties.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
            yield f"{name}: does not report failures item by item"
        queue = properties["EventSourceArn"]["Fn::GetAtt"][0]
        mapped.add(queue)
        timeout = functions[properties["FunctionName"]["Ref"]]["Timeout"]
        least = 6 * timeout + properties.get("MaximumBatchingWindowInSeconds", 0)
        if found[queue].get("VisibilityTimeout", 30) < least:
            yield f"{queue}: visibility is shorter than {least} s, 6 times the function's timeout and the window"
    if mapped != set(LIVE):
        yield f"mapped to functions are {sorted(mapped)}"


def times(template):
    functions = named(template, "AWS::Serverless::Function")
    drain = functions["DrainFunction"]
    lease = drain["Environment"]["Variables"]["FLAGPOST_LEASE_SECONDS"]
    if int(lease) != drain["Timeout"] + 60:
        yield f"FLAGPOST_LEASE_SECONDS is {lease}, which is not DrainFunction's timeout and 60 s"
    for properties in named(template, "AWS::ApiGatewayV2::Integration").values():
        name = properties["IntegrationUri"]["Fn::GetAtt"][0]
        if functions[name]["Timeout"] >= 30:
            yield f"{name}: HTTP APIs give up after 30 s, and it has {functions[name]['Timeout']}"


def defaults(template):
    parameters = template["Parameters"]
    if set(parameters) != {*DEFAULTS, "AdminKeySha256"}:
        yield f"other parameters than are checked: {sorted(set(parameters) ^ {*DEFAULTS, 'AdminKeySha256'})}"
    for name, wanted in DEFAULTS.items():
        if parameters.get(name, {}).get("Default") != wanted:
            yield f"{name}: its default is {parameters.get(name, {}).get('Default')!r}, the design says {wanted!r}"
    secret = parameters.get("AdminKeySha256", {})
    if "Default" in secret or secret.get("NoEcho") is not True:
        yield "AdminKeySha256: has a default, or is shown"
    slots = [0, *map(int, parameters["RetrySlotsSeconds"]["Default"].split(","))]
    if any(later - earlier < SHORTEST_GAP for earlier, later in zip(slots, slots[1:])):
        yield f"RetrySlotsSeconds: slots are less than {SHORTEST_GAP} s apart"


def logs(template):
    groups = named(template, "AWS::Logs::LogGroup")
    for name, properties in named(template, "AWS::Serverless::Function").items():
        group = properties.get("LoggingConfig", {}).get("LogGroup", {}).get("Ref")
        if groups.get(group, {}).get("RetentionInDays") != {"Ref": "LogRetentionDays"}:
            yield f"{name}: its logs are kept for ever"


def tls_only(template):
    everything = {
        "AWS::SQS::QueuePolicy": set(named(template, "AWS::SQS::Queue")),
        "AWS::S3::BucketPolicy": {"Bucket", "Bucket/*"},
    }
    for kind, wanted in everything.items():
        covered = set()
        for properties in named(template, kind).values():
            for statement in properties["PolicyDocument"]["Statement"]:
                if denies_without_tls(statement, service=kind.split("::")[1].lower()):
                    covered |= {queue["Ref"] for queue in properties.get("Queues", [])}
                    covered |= {named_resource(one) for one in listed(statement["Resource"])}
        if missing := wanted - covered:
            yield f"reached without TLS can be: {', '.join(sorted(missing))}"


def denies_without_tls(statement, service):
    said = [statement.get(part) for part in ("Effect", "Principal", "Action", "Condition")]
    return said == ["Deny", "*", f"{service}:*", {"Bool": {"aws:SecureTransport": "false"}}]


def permissions(template):
    functions = named(template, "AWS::Serverless::Function")
    if set(functions) != set(NEEDED):
        yield f"there are other functions than are checked: {sorted(functions)}"
    for name, needed in NEEDED.items():
        allowed = set()
        for policy in functions.get(name, {}).get("Policies", []):
            for statement in policy["Statement"]:
                allowed |= set(grants(statement))
        for action, on, leading in sorted(allowed):
            if "*" in action or on == "*":
                yield f"{name}: a policy allows {action} on {on}"
        for one in sorted(needed - allowed):
            yield f"{name}: no policy allows {told(one)}"
        for one in sorted(allowed - needed):
            yield f"{name}: a policy allows what no adapter does there: {told(one)}"


def metrics(template):
    printed = set(re.findall(r'^    (\w+): "(?:Count|Seconds|Milliseconds)",$', METRICS.read_text(), re.MULTILINE))
    body = resource(template, "Dashboard")["DashboardBody"]["Fn::Sub"]
    shown = set()
    for widget in json.loads(body)["widgets"]:
        for namespace, name, *rest in widget["properties"]["metrics"]:
            if namespace == "${MetricsNamespace}":
                shown.add(name)
                if rest[:2] != ["Stack", "${AWS::StackName}"]:
                    yield f"Dashboard: {name} is not that of the stack"
    for name in sorted(shown ^ printed - {"BacklogEvents"}):
        yield f"Dashboard: {name} is {'shown and never printed' if name in shown else 'printed and not shown'}"
    for alarm, properties in named(template, "AWS::CloudWatch::Alarm").items():
        if properties["Namespace"] == {"Ref": "MetricsNamespace"}:
            if properties["MetricName"] not in printed:
                yield f"{alarm}: {properties['MetricName']} is never printed"
            if properties["Dimensions"] != [{"Name": "Stack", "Value": {"Ref": "AWS::StackName"}}]:
                yield f"{alarm}: its dimensions are none that are printed"


def alarms(template):
    """Each is heard when it begins and when it ends, and someone knows what to do then."""
    found, page = named(template, "AWS::CloudWatch::Alarm"), OPERATIONS.read_text()
    told_of = set(re.findall(r"^\| (`\w+Alarm`(?:, `\w+Alarm`)*) \|", page, re.MULTILINE))
    told_of = {name for row in told_of for name in re.findall(r"\w+", row)}
    topic = {"Fn::If": ["AlarmTopicGiven", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
    for alarm, properties in found.items():
        for action in ("AlarmActions", "OKActions"):
            if properties.get(action) != topic:
                yield f"{alarm}: tells nobody ({action})"
        if properties.get("TreatMissingData") != ("breaching" if alarm == "SweepAlarm" else "notBreaching"):
            yield f"{alarm}: takes silence for something else"
        if alarm not in told_of:
            yield f"{alarm}: docs/operations.md does not say what to do"
    for alarm in sorted(set(re.findall(r"`([A-Z]\w+Alarm)`", page)) - set(found)):
        yield f"{alarm}: docs/operations.md has it, and the template does not"
    for function in named(template, "AWS::Serverless::Function"):
        if not watched(found, "AWS/Lambda", "Errors", {"Name": "FunctionName", "Value": {"Ref": function}}):
            yield f"{function}: no alarm tells of its errors"
    for api in named(template, "AWS::ApiGatewayV2::Api"):
        if not watched(found, "AWS/ApiGateway", "5xx", {"Name": "ApiId", "Value": {"Ref": api}}):
            yield f"{api}: no alarm tells of its errors"
    sweeps = found.get("SweepAlarm", {})
    if sweeps.get("MetricName") != "Sweeps":
        yield "DrainFunction: no alarm tells that it does not run"
    schedule = resource(template, "DrainFunction")["Events"]["Sweep"]["Properties"]["Schedule"]
    if (schedule, sweeps.get("Period")) != ("rate(5 minutes)", 900):
        yield "SweepAlarm: it counts on 3 sweeps in its period"


def watched(alarms, namespace, metric, dimension):
    """Whether an alarm begins where anything is counted."""
    return any(
        (one["Namespace"], one["MetricName"], one["Dimensions"]) == (namespace, metric, [dimension])
        and (one["Statistic"], one["ComparisonOperator"], one["Threshold"]) == ("Sum", "GreaterThanThreshold", 0)
        for one in alarms.values()
    )


def tracing(template):
    if template["Globals"]["Function"].get("Tracing") != {"Ref": "Tracing"}:
        yield "Tracing: it is not that of the functions"
    for name, properties in named(template, "AWS::Serverless::Function").items():
        if "Tracing" in properties:
            yield f"{name}: has a Tracing of its own"


CHECKS = (table, bucket, queues, mappings, times, defaults, logs, tls_only, permissions, metrics, alarms, tracing)


def grants(statement):
    if statement["Effect"] != "Allow":
        return
    condition = statement.get("Condition", {})
    leading = condition.get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys", [""])
    for action in listed(statement["Action"]):
        for on in listed(statement["Resource"]):
            for prefix in listed(leading):
                yield action, named_resource(on), prefix


def told(grant):
    action, on, leading = grant
    return f"{action} on {on}" + (f" for {leading}" if leading else "")


def named_resource(value):
    """`!GetAtt Table.Arn` is Table, `!Sub "${Table.Arn}/index/timers"` is Table/index/timers."""
    if isinstance(value, dict) and "Fn::GetAtt" in value:
        return value["Fn::GetAtt"][0]
    if isinstance(value, dict) and "Fn::Sub" in value:
        named = value["Fn::Sub"].replace("${", "").replace(".Arn}", "")
        return "the default bus" if named.endswith(":event-bus/default") else named
    return str(value)


def retained(template, name):
    for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
        if template["Resources"][name].get(policy) != "Retain":
            yield f"{name}: is not kept ({policy})"


def keys(properties):
    return [key["AttributeName"] for key in properties["KeySchema"]]


def named(template, kind):
    return {name: one.get("Properties", {}) for name, one in template["Resources"].items() if one["Type"] == kind}


def resource(template, name):
    return template["Resources"][name]["Properties"]


def listed(value):
    return value if isinstance(value, list) else [value]


def read(path=ROOT / "template.yaml"):
    """The template with `!Ref` and its like in their long forms."""
    return yaml.load(path.read_text(), Loader)


class Loader(yaml.SafeLoader):
    """Knows CloudFormation's short forms."""


def short_form(loader, suffix, node):
    value = {
        yaml.ScalarNode: loader.construct_scalar,
        yaml.SequenceNode: lambda node: loader.construct_sequence(node, deep=True),
        yaml.MappingNode: lambda node: loader.construct_mapping(node, deep=True),
    }[type(node)](node)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", short_form)
