"""template.yaml deployed with SAM to a local emulator, under a name of its own per run."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import build
from emulator import REGION, directly
from project import LOCAL, ROOT, Failed, say
from tools import tool

# Seconds in place of minutes and hours, for tests: otherwise it is the stack that is deployed to AWS.
FOR_TESTS = {
    "AllowedEndpoints": "127.0.0.0/8,hooks.slack.com=127.0.0.1",
    "RetrySlotsSeconds": "10,20,30,40,50,60,70,80,90",
    "BreakerBucketSeconds": 10,
    "BreakerSpanSeconds": 4,
    "PauseFirstSeconds": 4,
    "PauseMaxSeconds": 12,
    "HealthyResetSeconds": 20,
}
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}


class Stack:
    """As a context manager it is deleted at the end where the emulator lives on; `keep` leaves it."""

    def __init__(self, emulator, purpose, parameters, keep=False):
        self.emulator = emulator
        # New every time: names are made from the stack's, and a retained bucket would come back with its old objects.
        self.name = f"flagpost-{purpose}-{int(time.time()) % 10**7}-{os.getpid()}"
        self.parameters = {"Architecture": build.architecture(), **parameters}
        self.keep = keep
        self.outputs = {}

    def __enter__(self):
        try:
            self.deploy()
        except BaseException:
            self.delete()
            raise
        return self

    def __exit__(self, *_):
        self.delete()

    def deploy(self):
        LOCAL.mkdir(exist_ok=True)
        self.client("s3").create_bucket(Bucket=self.name)
        directory = Path(tempfile.mkdtemp(prefix="stack-", dir=LOCAL))
        try:
            template = build.lay_out(directory)
            command = [
                tool("sam"), "deploy", "--template-file", template, "--stack-name", self.name,
                "--s3-bucket", self.name, "--region", REGION, "--capabilities", "CAPABILITY_IAM",
                "--no-confirm-changeset", "--no-progressbar", "--disable-rollback",
                "--parameter-overrides", *(f'{key}="{value}"' for key, value in self.parameters.items()),
            ]  # fmt: skip
            environment = {
                **directly(
                    {name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
                    self.emulator.endpoint,
                ),
                **CREDENTIALS,
                "AWS_ENDPOINT_URL": self.emulator.endpoint,
                "AWS_CONFIG_FILE": os.devnull,
                "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                "SAM_CLI_POLL_DELAY": "0.3",
                "SAM_CLI_TELEMETRY": "0",
            }
            done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True)
            if done.returncode != 0:
                raise Failed(f"sam deploy failed:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
        finally:
            shutil.rmtree(directory, ignore_errors=True)
        described = self.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"][0]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}

    def delete(self):
        """Deletes the stack, and what its template retains; an emulator of our own just ends.

        A deploy that was interrupted told no outputs: what there is to delete is found by the stack's name.
        """
        if self.emulator.ours or self.keep:
            return
        failed = []
        for delete in (self.delete_stack, self.delete_buckets, self.delete_tables):
            try:
                delete()
            except Exception as error:
                failed.append(str(error))
        if failed:
            say(f"the stack {self.name} was not deleted whole: {'; '.join(failed)}")

    def delete_stack(self):
        formation = self.client("cloudformation")
        formation.delete_stack(StackName=self.name)
        formation.get_waiter("stack_delete_complete").wait(
            StackName=self.name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )

    def delete_buckets(self):
        s3 = self.client("s3")
        for bucket in filter(self.owns, [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]):
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                for item in page.get("Contents", []):
                    s3.delete_object(Bucket=bucket, Key=item["Key"])
            s3.delete_bucket(Bucket=bucket)

    def delete_tables(self):
        dynamodb = self.client("dynamodb")
        pages = dynamodb.get_paginator("list_tables").paginate()
        for table in filter(self.owns, [name for page in pages for name in page["TableNames"]]):
            dynamodb.delete_table(TableName=table)

    def owns(self, resource):
        """CloudFormation begins names with the stack's, and so do its emulators."""
        return resource == self.name or resource.startswith(f"{self.name}-")

    def save_logs(self, path):
        """Writes what the functions logged, in order, for reading after something went wrong."""
        try:
            path.write_text("".join(f"{line}\n" for _, line in sorted(self.logged(), key=lambda line: line[0])))
        except Exception as error:
            say(f"what the functions logged could not be read: {error}")
        else:
            say(f"what the functions logged is in {path.relative_to(ROOT)}")

    def logged(self):
        logs = self.client("logs")
        groups = [group for page in logs.get_paginator("describe_log_groups").paginate() for group in page["logGroups"]]
        for group in (group["logGroupName"] for group in groups):
            if self.name in group:
                for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
                    yield from ((event["timestamp"], event["message"].rstrip()) for event in page["events"])

    def client(self, service):
        import boto3
        from botocore.config import Config

        return boto3.client(
            service,
            endpoint_url=self.emulator.endpoint,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(s3={"addressing_style": "path"}, proxies={}, retries={"max_attempts": 3}),
        )
