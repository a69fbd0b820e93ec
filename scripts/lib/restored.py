"""What was deleted by mistake, brought back from a table that DynamoDB restored to an earlier time.

Projects, ingest keys, admin keys and integrations: what the operator's API makes. Each goes into the live table in one
transaction, in the form and under the conditions under which `shared/adapters/src/dynamodb` writes it. Nothing that is
there is changed. A project has a mark until all that it held is back: so a repeat knows that it goes on with it, and does
not take a project that was there all the time for one, whose keys may have been revoked on purpose.
"""

import json
from dataclasses import dataclass

from project import Failed

# An integration that comes back has a version that it never had: what a function remembers goes by the version.
VERSIONS_APART = 1000


@dataclass(frozen=True)
class Thing:
    kind: str
    id: str
    project: str
    name: str
    items: tuple  # what is written for it, each with its condition
    is_half: bool = False  # whether what it held is still coming back

    def __str__(self):
        return f"{self.kind:<12} {self.id:<34} {self.project:<20} {self.name}"


# The mark.
RESTORING = "restoring"
ABSENT = "attribute_not_exists(pk)"
ABSENT_OR_TOMBSTONE = f"{ABSENT} OR attribute_exists(deleted_at)"


def things(client, table):
    """Everything of these kinds in a table, projects before what they hold."""
    found = []
    for listed in items(client, table, "PROJECTS"):
        project = listed["sk"]["S"]
        # What it holds is counted anew, as it comes back.
        item = {**listed, "held": {"N": "0"}, RESTORING: {"BOOL": True}}
        found.append(Thing("project", project, project, listed["name"]["S"], ((item, ABSENT),), RESTORING in listed))
        for item in items(client, table, f"PROJECT#{project}"):
            if item["sk"]["S"].startswith("KEY#"):
                found.append(key("key", item, "KEY"))
            elif item["sk"]["S"].startswith("INTEGRATION#") and "doc" in item:
                found.append(integration(item, project))
    found += [key("admin key", item, "ADMINKEY") for item in items(client, table, "ADMINKEYS")]
    return found


def key(kind, listed, prefix):
    looked_up = {name: value for name, value in listed.items() if name not in ("pk", "sk", "sha256")}
    looked_up |= {"pk": {"S": f"{prefix}#{listed['sha256']['S']}"}, "sk": {"S": "KEY"}}
    project, name = listed["project"]["S"], listed["name"]["S"]
    return Thing(kind, listed["id"]["S"], project, name, ((looked_up, ABSENT), (listed, ABSENT)))


def integration(item, project):
    document = json.loads(item["doc"]["S"])
    document["version"] += VERSIONS_APART
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    item = {**item, "doc": {"S": text}, "version": {"N": str(document["version"])}}
    name = {"pk": item["pk"], "sk": {"S": f"NAME#{document['name']}"}, "integration": {"S": document["id"]}}
    return Thing(
        "integration", document["id"], project, document["name"], ((item, ABSENT_OR_TOMBSTONE), (name, ABSENT))
    )


def missing(before, now):
    """What was there and is not."""
    there = {(thing.kind, thing.id) for thing in now}
    return [thing for thing in before if (thing.kind, thing.id) not in there]


def bring_back_named(client, table, before, now, ids):
    """Brings back what these name, a project with all that it held. Yields each thing, after whether it was there already.
    Where it stops, the same again goes on."""
    if unknown := set(ids) - {thing.id for thing in before}:
        raise Failed(f"never there: {', '.join(sorted(unknown))}")
    gone = missing(before, now)
    half = [thing for thing in now if thing.is_half]
    whole = {thing.id for thing in gone + half if thing.kind == "project" and thing.id in ids}
    for thing in now:
        if thing.id in ids:
            yield True, thing
    for thing in gone:
        if thing.id in ids or thing.project in whole:
            bring_back(client, table, thing)
            yield False, thing
    for project in sorted(whole):
        is_whole(client, table, project)


def bring_back(client, table, thing):
    """Writes all of it, or nothing and says why."""
    writes = [
        {"Put": {"TableName": table, "Item": item, "ConditionExpression": condition}} for item, condition in thing.items
    ]
    if thing.kind != "project":
        writes.insert(0, {"Update": {
            "TableName": table,
            "Key": {"pk": {"S": "PROJECTS"}, "sk": {"S": thing.project}},
            "UpdateExpression": "ADD held :one",
            "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }})  # fmt: skip
    try:
        client.transact_write_items(TransactItems=writes)
    except client.exceptions.TransactionCanceledException as refused:
        reasons = [reason.get("Code") for reason in refused.response.get("CancellationReasons", [])]
        if "ConditionalCheckFailed" not in reasons:
            raise Failed(f"{thing.kind} {thing.id} did not come back: {refused}") from refused
        homeless = thing.kind != "project" and reasons[0] == "ConditionalCheckFailed"
        why = "its project is not there" if homeless else "it is there again, or its name is taken"
        raise Failed(f"{thing.kind} {thing.id} did not come back: {why}") from refused


def is_whole(client, table, project):
    """Takes the mark off, unless the project was deleted meanwhile."""
    try:
        client.update_item(
            TableName=table,
            Key={"pk": {"S": "PROJECTS"}, "sk": {"S": project}},
            UpdateExpression="REMOVE #mark",
            ExpressionAttributeNames={"#mark": RESTORING},
            ConditionExpression="attribute_exists(pk)",
        )
    except client.exceptions.ConditionalCheckFailedException as gone:
        raise Failed(f"project {project} was deleted meanwhile") from gone


def items(client, table, partition):
    pages = client.get_paginator("query").paginate(
        TableName=table,
        ConsistentRead=True,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": partition}},
    )
    return [item for page in pages for item in page["Items"]]
