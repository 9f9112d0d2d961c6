"""The templates as `aws cloudformation package` would leave them, for a deploy to the emulator without the CLI."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from cfnlint.decode import decode
from tests.support.cloud import REGION, Cloud
from tests.support.nights import REPOSITORY

TEMPLATES = REPOSITORY / "infra" / "cloudformation"
ARTIFACTS = "artifacts"


def template(name: str) -> dict[str, Any]:
    """A template in the long form of its functions."""
    found, mistakes = decode(str(TEMPLATES / f"{name}.yaml"))
    assert found is not None, mistakes
    return found


def template_names() -> list[str]:
    return sorted(path.stem for path in TEMPLATES.glob("*.yaml"))


def put_up(cloud: Cloud) -> str:
    """Zips and nested templates into the bucket of artifacts; the root template that names them."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=ARTIFACTS, CreateBucketConfiguration={"LocationConstraint": REGION})
    root = template("root")
    for nested in root["Resources"].values():
        file = nested["Properties"]["TemplateURL"]
        inner = template(file.removesuffix(".yaml"))
        for resource in inner["Resources"].values():
            if isinstance(code := resource.get("Properties", {}).get("Code"), str):
                key = f"{Path(code).name}.zip"
                s3.put_object(Bucket=ARTIFACTS, Key=key, Body=_zip((TEMPLATES / code).resolve()))
                resource["Properties"]["Code"] = {"S3Bucket": ARTIFACTS, "S3Key": key}
        s3.put_object(Bucket=ARTIFACTS, Key=file, Body=json.dumps(inner).encode())
        nested["Properties"]["TemplateURL"] = f"https://s3.{REGION}.amazonaws.com/{ARTIFACTS}/{file}"
    return json.dumps(root)


def _zip(folder: Path) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*.py")):
            archive.write(path, path.relative_to(folder))
    return held.getvalue()
