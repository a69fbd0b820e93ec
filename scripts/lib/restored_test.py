"""What was deleted comes back from an earlier table: against a local DynamoDB, run by scripts/test."""

import json
import unittest
import unittest.mock

import restored
from emulator import REGION, Emulator
from project import Failed

DOCUMENT = {"id": "i1", "project": "shop", "name": "Warehouse", "url": "https://example.com/", "version": 3}


def text(**attributes):
    return {name: {"S": value} for name, value in attributes.items()}


def configuration():
    """A project with a key, an admin key and an integration, as the adapters write them."""
    grant = text(id="k1", project="shop", environment_id="prod", environment_name="Production", name="servers")
    admin = text(id="a1", project="shop", name="the web team")
    document = json.dumps(DOCUMENT, separators=(",", ":"))
    return [
        text(pk="PROJECTS", sk="shop", name="Shop") | {"held": {"N": "3"}},
        text(pk="KEY#abc", sk="KEY") | grant,
        text(pk="PROJECT#shop", sk="KEY#k1", sha256="abc") | grant,
        text(pk="ADMINKEY#def", sk="KEY") | admin,
        text(pk="ADMINKEYS", sk="a1", sha256="def") | admin,
        text(pk="PROJECT#shop", sk="INTEGRATION#i1", doc=document) | {"version": {"N": "3"}},
        text(pk="PROJECT#shop", sk="NAME#Warehouse", integration="i1"),
        text(pk="HEALTH#i1", sk="HEALTH", project="shop", integration="i1"),
    ]


class Restored(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        import boto3

        cls.emulator = cls.enterClassContext(Emulator(log="restored-emulator"))
        cls.client = boto3.client(
            "dynamodb",
            endpoint_url=cls.emulator.endpoint,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def setUp(self):
        self.before, self.now = (self.table(f"{self._testMethodName[-40:]}-{name}") for name in ("before", "now"))
        self.put(self.before, configuration())

    def table(self, name):
        self.client.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )
        return name

    def put(self, table, items):
        for item in items:
            self.client.put_item(TableName=table, Item=item)

    def all(self, table):
        items = self.client.scan(TableName=table, ConsistentRead=True)["Items"]
        return {(item["pk"]["S"], item["sk"]["S"]): item for item in items}

    def gone(self):
        return restored.missing(restored.things(self.client, self.before), restored.things(self.client, self.now))

    def bring_back(self, *ids):
        """What was there already, and what came back."""
        before, now = (restored.things(self.client, table) for table in (self.before, self.now))
        named = list(restored.bring_back_named(self.client, self.now, before, now, ids))
        return [thing.id for there, thing in named if there], [thing.id for there, thing in named if not there]

    def test_a_project_comes_back_with_all_that_it_held(self):
        self.assertEqual([thing.kind for thing in self.gone()], ["project", "integration", "key", "admin key"])
        self.bring_back("shop")
        self.assertEqual(self.gone(), [])
        wanted = {(item["pk"]["S"], item["sk"]["S"]): item for item in configuration()}
        health = ("HEALTH#i1", "HEALTH")
        back = self.all(self.now)
        self.assertEqual(set(back), set(wanted) - {health}, "health is that of today")
        integration = ("PROJECT#shop", "INTEGRATION#i1")
        for key in set(back) - {integration}:
            self.assertEqual(back[key], wanted[key])
        self.assertEqual(json.loads(back[integration]["doc"]["S"]), {**DOCUMENT, "version": 1003})
        self.assertEqual(back[integration]["version"], {"N": "1003"})

    def test_what_stopped_half_way_goes_on_where_it_stopped(self):
        real = restored.bring_back
        for done in range(1, 4):
            self.now = self.table(f"half-way-{done}")

            def breaks(client, table, thing, left=iter(range(done))):
                if next(left, None) is None:
                    raise Failed("the network is down")
                real(client, table, thing)

            with unittest.mock.patch.object(restored, "bring_back", breaks), self.assertRaises(Failed):
                self.bring_back("shop")
            self.assertEqual(len(self.gone()), 4 - done)
            there, back = self.bring_back("shop")
            self.assertEqual((there, len(back)), (["shop"], 4 - done))
            self.assertEqual(self.gone(), [])
            project = next(item for item in configuration() if item["pk"]["S"] == "PROJECTS")
            self.assertEqual(self.all(self.now)["PROJECTS", "shop"], project, "counted once, and without a mark")
            self.assertEqual(self.bring_back("shop"), (["shop"], []))
            self.client.delete_item(TableName=self.now, Key=text(pk="KEY#abc", sk="KEY"))
            self.client.delete_item(TableName=self.now, Key=text(pk="PROJECT#shop", sk="KEY#k1"))
            self.assertEqual(self.bring_back("shop"), (["shop"], []), "what is revoked afterwards stays so")

    def test_what_is_named_and_there_is_passed_over(self):
        self.put(self.now, [text(pk="PROJECTS", sk="shop", name="Shop") | {"held": {"N": "0"}}])
        self.assertEqual(self.bring_back("shop", "k1"), (["shop"], ["k1"]))
        self.assertEqual(self.bring_back("k1", "a1", "shop"), (["shop", "k1"], ["a1"]))
        self.assertEqual(self.all(self.now)["PROJECTS", "shop"]["held"], {"N": "2"})

    def test_one_of_them_comes_back_and_is_counted_and_the_others_do_not(self):
        self.put(self.now, [text(pk="PROJECTS", sk="shop", name="Shop") | {"held": {"N": "0"}}])
        self.bring_back("k1")
        back = self.all(self.now)
        self.assertEqual(set(back), {("PROJECTS", "shop"), ("KEY#abc", "KEY"), ("PROJECT#shop", "KEY#k1")})
        self.assertEqual(back["PROJECTS", "shop"]["held"], {"N": "1"})

    def test_a_tombstone_gives_way(self):
        self.put(self.now, [text(pk="PROJECTS", sk="shop", name="Shop"), text(pk="PROJECT#shop", sk="INTEGRATION#i1")])
        self.put(self.now, [text(pk="PROJECT#shop", sk="INTEGRATION#i1") | {"deleted_at": {"N": "7"}}])
        self.bring_back("i1")
        self.assertNotIn("deleted_at", self.all(self.now)["PROJECT#shop", "INTEGRATION#i1"])

    def test_what_is_there_is_not_touched(self):
        self.put(self.now, configuration())
        self.assertEqual(self.gone(), [])
        gone = restored.things(self.client, self.before)
        before = self.all(self.now)
        for thing in gone:
            with self.assertRaises(Failed):
                restored.bring_back(self.client, self.now, thing)
        self.assertEqual(self.all(self.now), before)

    def test_a_taken_name_and_a_missing_project_are_told(self):
        with self.assertRaisesRegex(Failed, "its project is not there"):
            self.bring_back("i1")
        self.put(self.now, [text(pk="PROJECTS", sk="shop", name="Shop")])
        self.put(self.now, [text(pk="PROJECT#shop", sk="NAME#Warehouse", integration="i2")])
        with self.assertRaisesRegex(Failed, "its name is taken"):
            self.bring_back("i1")
        with self.assertRaisesRegex(Failed, "never there: i9"):
            self.bring_back("i9")
        self.assertNotIn(("PROJECT#shop", "INTEGRATION#i1"), self.all(self.now))


if __name__ == "__main__":
    unittest.main()
