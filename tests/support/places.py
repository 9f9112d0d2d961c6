"""The places of a stack: a landing bucket, a queue and its dead letters."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Self
from uuid import uuid4

from tests.support.cloud import REGION, Cloud

ATTEMPTS = 3


@dataclass(frozen=True)
class Places:
    """A landing bucket, a queue and its dead letters as the stack makes them."""

    cloud: Cloud
    bucket: str
    queue: str
    dead_letters: str

    @classmethod
    def make(cls, cloud: Cloud, bucket: str | None = None) -> Self:
        """A queue with dead letters, and a bucket unless the name of one is given."""
        name, sqs = uuid4().hex, cloud.client("sqs")
        if bucket is None:
            cloud.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        dead = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": ATTEMPTS + 2})
        queue = sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": redrive, "VisibilityTimeout": "600"})["QueueUrl"]
        return cls(cloud, bucket or name, queue, dead)

    @property
    def variables(self) -> dict[str, str]:
        return {"LANDING": f"s3://{self.bucket}", "DEAD_LETTERS": self.dead_letters, "ATTEMPTS": str(ATTEMPTS)}

    def send(self, *bodies: str) -> list[str]:
        sqs = self.cloud.client("sqs")
        return [sqs.send_message(QueueUrl=self.queue, MessageBody=body)["MessageId"] for body in bodies]

    def objects(self) -> dict[str, bytes]:
        s3 = self.cloud.client("s3")
        keys = [found["Key"] for found in s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])]
        return {key: s3.get_object(Bucket=self.bucket, Key=key)["Body"].read() for key in keys}

    def letters(self, queue: str | None = None) -> list[dict[str, Any]]:
        """All messages of the dead letters (or of another queue), which stay there, hidden for a while."""
        sqs, found = self.cloud.client("sqs"), []
        while some := sqs.receive_message(
            QueueUrl=queue or self.dead_letters,
            MaxNumberOfMessages=10,
            VisibilityTimeout=600,
            MessageAttributeNames=["All"],
            AttributeNames=["All"],
        ).get("Messages"):
            found += some
        return found
