"""The model registry on AWS, in the emulator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.aws.conftest import Deployed

from sales_tech.aws.model_packages import APPROVED, PENDING, REJECTED, ModelPackages, _check
from sales_tech.errors import LakeError, ModelError

IMAGE = "123456789012.dkr.ecr.sa-east-1.amazonaws.com/shop-prod:1"


@pytest.fixture
def packages(deployed: Deployed) -> ModelPackages:
    """The stack's group, without versions."""
    client = deployed.cloud.client("sagemaker")
    found = ModelPackages(deployed.stack.connection, deployed.stack.output("ModelGroup"))
    for package in found.versions():
        client.delete_model_package(ModelPackageName=package.arn)
    return found


def archive(number: int) -> str:
    return f"s3://bucket/lake/models/olist/v{number:04d}/model.tar.gz"


def digest(number: int) -> str:
    return f"sha256:{number:064d}"


def test_a_version_waits_for_approval_with_what_its_card_says(deployed: Deployed, packages: ModelPackages) -> None:
    card = "s3://bucket/lake/models/olist/v0001/card.json"
    figures = {"wape": "0.31", "bias": "-0.02"}
    made = packages.register("olist", archive(1), IMAGE, digest(1), figures=figures, card=card, description="first")
    assert (made.status, made.source, made.digest) == (PENDING, "olist", digest(1))
    assert (made.archive, made.image, made.figures) == (archive(1), IMAGE, figures)
    kept = deployed.cloud.client("sagemaker").describe_model_package(ModelPackageName=made.arn)
    assert kept["ModelPackageGroupName"] == "shop-prod-planner"
    assert kept["CustomerMetadataProperties"] == {**figures, "source": "olist", "digest": digest(1)}
    assert kept["ModelMetrics"]["ModelQuality"]["Statistics"] == {"ContentType": "application/json", "S3Uri": card}
    (container,) = kept["InferenceSpecification"]["Containers"]
    assert container == {"Image": IMAGE, "ModelDataUrl": archive(1), "Environment": {"SALES_TECH_MODEL_DIGEST": digest(1)}}
    assert kept["ModelPackageDescription"] == "first"


def test_the_same_model_is_registered_once(packages: ModelPackages) -> None:
    made = packages.register("olist", archive(1), IMAGE, digest(1))
    assert packages.register("olist", archive(1), IMAGE, digest(1)) == made
    assert packages.register("olist", archive(1), f"{IMAGE}2", digest(1)).version > made.version, "another image serves it otherwise"


def test_what_was_decided_is_kept_with_its_reason_and_the_metadata_stays(deployed: Deployed, packages: ModelPackages) -> None:
    made = packages.register("olist", archive(1), IMAGE, digest(1), figures={"wape": "0.31"})
    approved = packages.approve(made, "better than the last one")
    assert (approved.status, approved.figures, approved.digest) == (APPROVED, {"wape": "0.31"}, digest(1))
    kept = deployed.cloud.client("sagemaker").describe_model_package(ModelPackageName=made.arn)
    assert kept["ApprovalDescription"] == "better than the last one"
    assert packages.reject(made, "sold nothing").status == REJECTED


def test_the_latest_approved_is_the_newest_of_its_source(packages: ModelPackages) -> None:
    made = [packages.register("olist", archive(number), IMAGE, digest(number)) for number in (1, 2, 3)]
    other = packages.register("erp_br", archive(4), IMAGE, digest(4))
    assert packages.latest_approved("olist") is None
    for package in (made[0], made[1], other):
        packages.approve(package, "good")
    latest = packages.latest_approved("olist")
    assert latest is not None
    assert latest.digest == digest(2)
    assert [package.digest for package in packages.versions()] == [digest(4), digest(3), digest(2), digest(1)]
    assert [package.digest for package in packages.versions(PENDING)] == [digest(3)]


@pytest.mark.parametrize("containers", [2, 0])
def test_a_version_that_others_put_into_the_group_stands_in_the_way_of_none(
    deployed: Deployed, packages: ModelPackages, containers: int
) -> None:
    made = packages.register("olist", archive(1), IMAGE, digest(1))
    served = {"Containers": [{"Image": f"{IMAGE}{number}"} for number in range(containers)], "SupportedContentTypes": ["text/csv"]}
    given = {"InferenceSpecification": {**served, "SupportedResponseMIMETypes": ["text/csv"]}} if containers else {}
    deployed.cloud.client("sagemaker").create_model_package(ModelPackageGroupName=packages.group, ModelApprovalStatus=APPROVED, **given)
    assert [package.source for package in packages.versions()] == ["", "olist"]
    assert packages.register("olist", archive(1), IMAGE, digest(1)) == made
    assert packages.latest_approved("olist") is None


@pytest.mark.parametrize(
    ("figures", "found"),
    [
        ({str(number): "1" for number in range(49)}, "49 figures"),
        ({"wape": "x" * 257}, "a figure wape of 257 characters"),
        ({"wape": ""}, "a figure wape of 0 characters"),
        ({"wape": "31.0%"}, "a figure wape that reads '31.0%'"),
    ],
)
def test_more_than_sagemaker_keeps_is_refused_before_it_is_asked(packages: ModelPackages, figures: dict[str, str], found: str) -> None:
    with pytest.raises(ModelError, match=f"the card of olist has {found}; expected at most 48 figures"):
        packages.register("olist", archive(1), IMAGE, digest(1), figures=figures)
    assert packages.versions() == []


def test_a_figure_may_hold_what_the_api_of_sagemaker_takes(deployed: Deployed, packages: ModelPackages) -> None:
    shape = deployed.cloud.client("sagemaker").meta.service_model.shape_for("CustomerMetadataValue")
    # Of the pattern's four classes the last is a list of marks; the emulator takes any text.
    assert shape.metadata["pattern"] == "([\\p{L}\\p{Z}\\p{N}_.:\\/=+\\-@]*)${1,256}"
    marks = {mark for mark in map(chr, range(32, 127)) if not mark.isalnum()}
    refused = set()
    for mark in marks:
        try:
            packages.register("olist", archive(ord(mark)), IMAGE, digest(ord(mark)), figures={"wape": f"é1{mark}"})
        except ModelError:
            refused.add(mark)
    assert marks - refused == set(" _.:/=+-@")


def test_one_waits_until_somebody_decides(packages: ModelPackages) -> None:
    made = packages.register("olist", archive(1), IMAGE, digest(1))
    seen: list[str] = []
    look: Callable[[str], Any] = packages.package

    def approved_after_two_looks(arn: str) -> Any:
        found = look(arn)
        seen.append(found.status)
        if len(seen) == 2:
            packages.approve(found, "good")
        return found

    packages.package = approved_after_two_looks  # type: ignore[method-assign]
    assert packages.decided(made, minutes=1, every=0.05).status == APPROVED
    assert seen == [PENDING, PENDING, APPROVED, APPROVED], "two looks of the wait, that of the approval, and the wait's last"


def test_one_does_not_wait_for_ever(packages: ModelPackages) -> None:
    made = packages.register("olist", archive(1), IMAGE, digest(1))
    assert packages.decided(made, minutes=0).status == PENDING


def test_a_version_that_is_not_there_is_told(packages: ModelPackages) -> None:
    with pytest.raises(LakeError, match="reading arn:aws:sagemaker:sa-east-1:123456789012:model-package/shop-prod-planner/99 failed"):
        packages.package("arn:aws:sagemaker:sa-east-1:123456789012:model-package/shop-prod-planner/99")


def test_as_much_as_sagemaker_keeps_is_taken() -> None:
    _check("olist", {f"figure {number}": "x" * (256 if number else 1) for number in range(48)})
