"""A lake in the emulator for tests that write exports into a folder and know nothing of S3."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from pathlib import Path

from tests.support.cloud import Cloud

from sales_tech.settings import Settings


@dataclass(frozen=True)
class CloudSettings(Settings):
    """Settings of a lake on AWS whose landing area is shown as a folder.

    `land` brings what changed in the folder into the bucket, and gives the settings as the product knows them.
    """

    cloud: Cloud | None = None
    bucket: str = ""

    def land(self) -> Settings:
        """Make the bucket hold what the folder holds."""
        assert self.cloud is not None
        assert isinstance(self.landing, Path)
        client = self.cloud.client("s3")
        listed = client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        there = {entry["Key"]: entry["ETag"].strip('"') for page in listed for entry in page.get("Contents", [])}
        here = {path.relative_to(self.landing).as_posix(): path for path in self.landing.rglob("*") if path.is_file()}
        for name, path in here.items():
            content = path.read_bytes()
            if there.get(name) != hashlib.md5(content, usedforsecurity=False).hexdigest():
                client.put_object(Bucket=self.bucket, Key=name, Body=content)
        for name in there.keys() - here.keys():
            client.delete_object(Bucket=self.bucket, Key=name)
        return Settings(**{field.name: getattr(self, field.name) for field in fields(Settings)} | {"landing": f"s3://{self.bucket}"})
