"""A template that breaks a promise is found out: run by scripts/test."""

import copy
import unittest

import promises

WHOLE = promises.read()


def properties(template, name):
    return template["Resources"][name]["Properties"]


def statement(template, function, sid):
    for policy in properties(template, function)["Policies"]:
        for one in policy["Statement"]:
            if one["Sid"] == sid:
                return one
    raise KeyError(sid)


# What is broken, by the words that must be said of it.
BREAKS = {
    "time to live": lambda t: properties(t, "Table")["TimeToLiveSpecification"].update(AttributeName="expires"),
    "point-in-time recovery": lambda t: properties(t, "Table").pop("PointInTimeRecoverySpecification"),
    "Table: encryption": lambda t: properties(t, "Table").pop("SSESpecification"),
    "Table: its indexes": lambda t: properties(t, "Table")["GlobalSecondaryIndexes"][1]["KeySchema"].pop(),
    "Table: is not kept": lambda t: t["Resources"]["Table"].update(DeletionPolicy="Delete"),
    "Bucket: encryption": lambda t: properties(t, "Bucket").pop("BucketEncryption"),
    "BlockPublicPolicy": lambda t: properties(t, "Bucket")["PublicAccessBlockConfiguration"].pop("BlockPublicPolicy"),
    "dead/ does not expire": lambda t: properties(t, "Bucket")["LifecycleConfiguration"]["Rules"][1].update(
        Status="Disabled"
    ),
    "LifecycleDays: 21": lambda t: t["Mappings"]["LifecycleDays"]["21"].update(Days=22),
    "RetryQueue: encryption": lambda t: properties(t, "RetryQueue").update(SqsManagedSseEnabled=False),
    "WakeDeadLetterQueue: retention": lambda t: properties(t, "WakeDeadLetterQueue").pop("MessageRetentionPeriod"),
    "EventsQueue: what is received": lambda t: properties(t, "EventsQueue")["RedrivePolicy"].update(maxReceiveCount=3),
    "item by item": lambda t: properties(t, "WakeMapping").pop("FunctionResponseTypes"),
    "EventsQueue: visibility": lambda t: properties(t, "EventsQueue").update(VisibilityTimeout=360),
    "WakeQueue: visibility": lambda t: properties(t, "DrainFunction").update(Timeout=121),
    "FLAGPOST_LEASE_SECONDS": lambda t: properties(t, "DrainFunction").update(Timeout=119),
    "AdminFunction: HTTP APIs": lambda t: properties(t, "AdminFunction").update(Timeout=30),
    "AllowedEndpoints: its default": lambda t: t["Parameters"]["AllowedEndpoints"].update(Default="127.0.0.0/8"),
    "7 s apart": lambda t: t["Parameters"]["RetrySlotsSeconds"].update(Default="5,10"),
    "AdminKeySha256": lambda t: t["Parameters"]["AdminKeySha256"].pop("NoEcho"),
    "BatchFunction: its logs": lambda t: properties(t, "BatchLogs").pop("RetentionInDays"),
    "without TLS can be: WakeQueue": lambda t: properties(t, "QueuesTlsOnly")["Queues"].remove({"Ref": "WakeQueue"}),
    "without TLS can be: Bucket": lambda t: t["Resources"].pop("BucketTlsOnly"),
    "allows sqs:* on": lambda t: statement(t, "IngestFunction", "SendsEvents").update(Action="sqs:*"),
    "allows sqs:SendMessage on *": lambda t: statement(t, "IngestFunction", "SendsEvents").update(Resource="*"),
    "no policy allows dynamodb:GetItem on Table for KEY#*": lambda t: statement(
        t, "IngestFunction", "LooksUpKeys"
    ).pop("Condition"),
    "BatchFunction: no policy allows sqs:ChangeMessageVisibility": lambda t: statement(
        t, "BatchFunction", "ReceivesDeliveries"
    )["Action"].remove("sqs:ChangeMessageVisibility"),
    "what no adapter does there: s3:GetObject on Bucket/dead/*": lambda t: statement(
        t, "BatchFunction", "StoresDeliveries"
    ).update(Action=["s3:PutObject", "s3:GetObject"]),
    "Dashboard: EventsDead is printed and not shown": lambda t: properties(t, "Dashboard")["DashboardBody"].update(
        {"Fn::Sub": properties(t, "Dashboard")["DashboardBody"]["Fn::Sub"].replace("EventsDead", "EventsDelivered")}
    ),
    "DeadDeliveriesAlarm: DeadEvents is never printed": lambda t: properties(t, "DeadDeliveriesAlarm").update(
        MetricName="DeadEvents"
    ),
    "BacklogAgeAlarm: its dimensions": lambda t: properties(t, "BacklogAgeAlarm")["Dimensions"].pop(),
    "BacklogAgeAlarm: tells nobody (AlarmActions)": lambda t: properties(t, "BacklogAgeAlarm").pop("AlarmActions"),
    "WakeInFlightAlarm: tells nobody (OKActions)": lambda t: properties(t, "WakeInFlightAlarm").pop("OKActions"),
    "SweepAlarm: takes silence": lambda t: properties(t, "SweepAlarm").update(TreatMissingData="notBreaching"),
    "BatchErrorsAlarm: takes silence": lambda t: properties(t, "BatchErrorsAlarm").update(
        TreatMissingData="breaching"
    ),
    "UnheardAlarm: docs/operations.md does not say": lambda t: t["Resources"].update(
        UnheardAlarm=copy.deepcopy(t["Resources"]["BacklogAgeAlarm"])
    ),
    "AdminFunction: no alarm tells of its errors": lambda t: t["Resources"].pop("AdminErrorsAlarm"),
    "IngestFunction: no alarm tells of its errors": lambda t: properties(t, "IngestErrorsAlarm").update(
        MetricName="Throttles"
    ),
    "HttpApi: no alarm tells of its errors": lambda t: properties(t, "ApiErrorsAlarm").update(MetricName="4xx"),
    "DrainFunction: no alarm tells that it does not run": lambda t: properties(t, "SweepAlarm").update(
        MetricName="BacklogAge"
    ),
    "SweepAlarm: it counts on 3 sweeps": lambda t: properties(t, "DrainFunction")["Events"]["Sweep"]["Properties"].update(
        Schedule="rate(10 minutes)"
    ),
    "Tracing: it is not that of the functions": lambda t: t["Globals"]["Function"].pop("Tracing"),
    "BacklogAgeAlarm: docs/operations.md has it": lambda t: t["Resources"].pop("BacklogAgeAlarm"),
    "another shape": lambda t: t["Resources"].pop("DrainFunction"),
}


class Promises(unittest.TestCase):
    def test_the_template_keeps_them(self):
        self.assertEqual(promises.broken(WHOLE), [])

    def test_each_break_is_found_out(self):
        for words, broken in BREAKS.items():
            with self.subTest(words):
                template = copy.deepcopy(WHOLE)
                broken(template)
                said = promises.broken(template)
                self.assertTrue(any(words in line for line in said), said)


if __name__ == "__main__":
    unittest.main()
