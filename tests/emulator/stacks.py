"""How moto's CloudFormation changes, keeps and reads stacks, where AWS does it otherwise."""

from __future__ import annotations

from typing import Any

from moto.cloudformation import parsing
from moto.cloudformation.models import ChangeSet, CloudFormationBackend, Stack
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult


def install(_port: int) -> None:
    """Have stacks changed as AWS changes them."""
    _remember_what_a_change_set_made()
    _keep_what_is_to_be_kept()
    _tell_what_a_stack_left()
    _update_what_changed()
    _leave_out_no_value()
    Stack.get_cfn_attribute = lambda stack, attribute: stack.output_map[attribute.removeprefix("Outputs.")].value


def _remember_what_a_change_set_made() -> None:
    """moto runs a change set and then answers from the stack as it was before: without outputs, and always with changes."""
    apply = ChangeSet.apply

    def applied(change_set: ChangeSet) -> None:
        apply(change_set)
        stack = change_set.stack
        stack.template = change_set.template
        stack._parse_template()
        stack.parameters = stack.stack_parameters
        stack.resource_map.input_parameters = stack.parameters
        stack.output_map = stack._create_output_map()

    def parameters(stack: Stack) -> dict[str, str]:
        """Text, defaults too, as CloudFormation keeps them: so a second change set finds no difference."""
        known = stack.resource_map.resolved_parameters.items()
        return {name: ",".join(value) if isinstance(value, list) else str(value) for name, value in known}

    ChangeSet.apply = applied
    Stack.stack_parameters = property(parameters)


def _keep_what_is_to_be_kept() -> None:
    """moto knows the deletion policy Retain alone."""
    delete = parsing.ResourceMap.delete

    def deleted(resources: Any) -> None:
        for resource in resources._resource_json_map.values():
            if resource.get("DeletionPolicy") == "RetainExceptOnCreate":
                resource["DeletionPolicy"] = "Retain"
        delete(resources)

    parsing.ResourceMap.delete = deleted


def _tell_what_a_stack_left() -> None:
    """moto makes the resources of a stack that is gone once more where they are listed, and calls all of them made."""
    delete, told = Stack.delete, CloudFormationResponse.list_stack_resources
    left: dict[str, list[dict[str, Any]]] = {}  # of each stack that was to be deleted; moto loses some of them

    def deleted(stack: Stack) -> None:
        described = stack.resource_map._resource_json_map
        made = {name: each for name, each in stack.resource_map.items() if each is not None}
        kept = {name for name in made if "Retain" in described[name].get("DeletionPolicy", "")}
        left[stack.stack_id] = [
            {
                "ResourceStatus": "DELETE_SKIPPED" if name in kept else "DELETE_COMPLETE",
                "LogicalResourceId": name,
                "LastUpdatedTimestamp": stack.creation_time,
                "PhysicalResourceId": each.stack_id if isinstance(each, Stack) else each.physical_resource_id,
                "ResourceType": described[name]["Type"],
            }
            for name, each in made.items()
        ]
        delete(stack)

    def listed(response: Any) -> ActionResult:
        of_stack = left.get(response._get_param("StackName"))
        return told(response) if of_stack is None else ActionResult({"StackResourceSummaries": of_stack})

    Stack.delete, CloudFormationResponse.list_stack_resources = deleted, listed


def _update_what_changed() -> None:
    """moto knows no default as the previous value of a parameter, and takes each for a change."""
    resolve = CloudFormationBackend._resolve_update_parameters

    def resolved(backend: Any, instance: Any, incoming_params: Any) -> Any:
        if isinstance(instance, Stack):
            instance.parameters = instance.stack_parameters
            instance.resource_map.input_parameters = instance.parameters
        return resolve(backend, instance, incoming_params)

    CloudFormationBackend._resolve_update_parameters = resolved


def _leave_out_no_value() -> None:
    """moto puts nothing, as an element, where a list has AWS::NoValue."""
    clean = parsing.clean_json

    def cleaned(given: Any, resources: Any) -> Any:
        value = clean(given, resources)
        return [each for each in value if each is not None] if isinstance(value, list) else value

    parsing.clean_json = cleaned
