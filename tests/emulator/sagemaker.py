"""What moto's SageMaker leaves out: names from a template, metadata that an update does not name, the end of model packages."""

from __future__ import annotations

from typing import Any


def install(_port: int) -> None:
    """Fill it in."""
    from moto.core.responses import ActionResult
    from moto.sagemaker import models, responses

    models.FakeEndpoint.cloudformation_name_type = staticmethod(lambda: "EndpointName")
    update = models.SageMakerModelBackend.update_model_package

    def updated(backend: Any, model_package_arn: str, *given: Any, **named: Any) -> str:
        package = backend.model_packages[backend.model_package_name_mapping.get(model_package_arn, model_package_arn)]
        kept = package.customer_metadata_properties
        arn: str = update(backend, model_package_arn, *given, **named)
        package.customer_metadata_properties = {**(kept or {}), **(package.customer_metadata_properties or {})}
        return arn

    models.SageMakerModelBackend.update_model_package = updated

    def delete_package(response: Any) -> Any:
        backend, name = response.sagemaker_backend, response._get_param("ModelPackageName")
        del backend.model_packages[backend.model_package_name_mapping.get(name, name)]
        return ActionResult({})

    def delete_group(response: Any) -> Any:
        backend, name = response.sagemaker_backend, response._get_param("ModelPackageGroupName")
        if any(package.model_package_group_name == name for package in backend.model_packages.values()):
            raise models.ValidationError(f"Model Package Group {name} has model packages")
        del backend.model_package_groups[name]
        return ActionResult({})

    responses.SageMakerResponse.delete_model_package = delete_package
    responses.SageMakerResponse.delete_model_package_group = delete_group
