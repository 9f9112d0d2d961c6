"""The model registry on AWS: versions of planners, which of them are approved, and what is known of each."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any, Literal

from sales_tech.aws.connection import Connection, in_words
from sales_tech.errors import ModelError

PENDING, APPROVED, REJECTED = "PendingManualApproval", "Approved", "Rejected"
DIGEST = "SALES_TECH_MODEL_DIGEST"
MOST_FIGURES, LONGEST = 48, 256  # what SageMaker keeps beside a version: 50 texts, of which two are ours
# What SageMaker takes of a figure, by the pattern of CustomerMetadataValue in its API: letters, digits, blanks and these marks.
_FIGURE = re.compile(r"[\w .:/=+@-]*")
_TYPES = ["application/json", "text/csv"]
# Only told to whoever looks: the stack, not SageMaker, chooses the machine.
_INSTANCES: list[str] = ["ml.t2.medium", "ml.t2.large", "ml.m5.large", "ml.m5.xlarge", "ml.c5.large", "ml.c5.xlarge", "ml.r5.large"]


@dataclass(frozen=True)
class ModelPackage:
    """One registered version: where its archive lies, the image that serves it, its digest, and what its card says in short."""

    arn: str
    version: int
    status: str
    source: str
    archive: str
    image: str
    digest: str
    figures: dict[str, str]


class ModelPackages:
    """The versions of one group."""

    def __init__(self, connection: Connection, group: str) -> None:
        self._connection, self.group = connection, group

    def register(
        self,
        source: str,
        archive: str,
        image: str,
        digest: str,
        *,
        figures: dict[str, str] | None = None,
        card: str | None = None,
        description: str = "",
        status: Literal["PendingManualApproval", "Approved", "Rejected"] = "PendingManualApproval",
    ) -> ModelPackage:
        """Register an archive in S3 as the next version, or hand back the version that has it already.

        `figures` are shown beside the version, `card` is the s3:// address of the card as JSON. ModelError for more figures
        than a version may have, too long ones, or characters that SageMaker does not take in one.
        """
        for known in self.versions():
            if (known.source, known.archive, known.digest, known.image) == (source, archive, digest, image):
                return known
        figures = figures or {}
        _check(source, figures)
        container = {"Image": image, "ModelDataUrl": archive, "Environment": {DIGEST: digest}}
        given: dict[str, Any] = {
            "ModelPackageGroupName": self.group,
            "ModelApprovalStatus": status,
            "CustomerMetadataProperties": {**figures, "source": source, "digest": digest},
            "InferenceSpecification": {
                "Containers": [container],
                "SupportedContentTypes": _TYPES,
                "SupportedResponseMIMETypes": _TYPES,
                "SupportedRealtimeInferenceInstanceTypes": _INSTANCES,
            },
        }
        if description:
            given["ModelPackageDescription"] = description
        if card:
            given["ModelMetrics"] = {"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": card}}}
        with in_words(f"registering a model of {source} in {self.group}"):
            return self.package(self._client.create_model_package(**given)["ModelPackageArn"])

    def versions(self, status: str | None = None) -> list[ModelPackage]:
        """The versions, the newest first, or those of one status."""
        which = {"ModelPackageGroupName": self.group} | ({"ModelApprovalStatus": status} if status else {})
        with in_words(f"listing the models in {self.group}"):
            pages = self._client.get_paginator("list_model_packages").paginate(**which)
            arns = [each["ModelPackageArn"] for page in pages for each in page["ModelPackageSummaryList"]]
        return sorted(map(self.package, arns), key=lambda package: -package.version)

    def package(self, arn: str) -> ModelPackage:
        """One version by its ARN; LakeError where there is none."""
        with in_words(f"reading {arn}"):
            found = self._client.describe_model_package(ModelPackageName=arn)
        # One that others put into the group may have several, or none.
        container: dict[str, str] = next(iter(found.get("InferenceSpecification", {}).get("Containers", [])), {})
        figures = dict(found.get("CustomerMetadataProperties", {}))
        source, digest = figures.pop("source", ""), figures.pop("digest", "")
        version, status = found["ModelPackageVersion"], found["ModelApprovalStatus"]
        return ModelPackage(arn, version, status, source, container.get("ModelDataUrl", ""), container.get("Image", ""), digest, figures)

    def latest_approved(self, source: str) -> ModelPackage | None:
        """The newest approved version of a source, None where there is none."""
        return next((package for package in self.versions(APPROVED) if package.source == source), None)

    def approve(self, package: ModelPackage, reason: str) -> ModelPackage:
        """Allow a version to be served; the reason is kept with it."""
        return self._decide(package, APPROVED, reason)

    def reject(self, package: ModelPackage, reason: str) -> ModelPackage:
        """Forbid a version to be served; the reason is kept with it."""
        return self._decide(package, REJECTED, reason)

    def decided(self, package: ModelPackage, minutes: float, every: float = 15.0) -> ModelPackage:
        """Wait until somebody has approved or rejected a version, or the minutes have passed; it as it then is.

        `every` is how many seconds lie between two looks.
        """
        end = time.monotonic() + 60 * minutes
        while True:
            package = self.package(package.arn)
            if package.status != PENDING or time.monotonic() >= end:
                return package
            time.sleep(every)

    def _decide(self, package: ModelPackage, status: str, reason: str) -> ModelPackage:
        with in_words(f"setting {package.arn} to {status}"):
            self._client.update_model_package(ModelPackageArn=package.arn, ModelApprovalStatus=status, ApprovalDescription=reason)
        return self.package(package.arn)

    @property
    def _client(self) -> Any:
        return self._connection.client("sagemaker")


def _check(source: str, figures: dict[str, str]) -> None:
    problems = [f"{len(figures)} figures"] if len(figures) > MOST_FIGURES else []
    problems += [f"a figure {name} of {len(value)} characters" for name, value in figures.items() if not 0 < len(value) <= LONGEST]
    problems += [f"a figure {name} that reads {value!r}" for name, value in figures.items() if not _FIGURE.fullmatch(value)]
    if problems:
        raise ModelError(
            f"the card of {source} has {problems[0]}; expected at most {MOST_FIGURES} figures, each of 1 to {LONGEST} letters, digits, "
            "blanks and _.:/=+-@"
        )
