"""The commands about a stack's endpoint: see, register, approve, deploy, go back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from sales_tech.aws.extra import installed_packages
from sales_tech.cli_help import Commands
from sales_tech.errors import ModelError

if TYPE_CHECKING:
    from sales_tech.aws.model_packages import ModelPackage, ModelPackages
    from sales_tech.aws.stack import Stack

stack_option = click.option("--stack", "name", envvar="STACK", required=True, help="Name of the stack (or the variable STACK).")
source_option = click.option("--source", required=True, help="The source whose model it is, such as erp_br.")
reason_option = click.option("--reason", required=True, help="Why; kept with the version.")


@click.group(cls=Commands)
def endpoint() -> None:
    """See, approve and deploy the models of a stack's endpoint on AWS."""


@endpoint.command()
@stack_option
def versions(name: str) -> None:
    """List the registered models, the newest first, and which of them is served."""
    from sales_tech.aws import endpoints

    stack, packages = _opened(name)
    served = endpoints.deployed(stack, packages)
    table = Table("version", "source", "status", "origin", "wape", "digest", "served", box=None)
    for each in packages.versions():
        figures = [each.figures.get(key, "") for key in ("origin", "wape")]
        table.add_row(str(each.version), each.source, each.status, *figures, each.digest[:19], "yes" if each == served else "")
    Console().print(table)


@endpoint.command()
@stack_option
@source_option
@click.option("--image-tag", required=True, help="Tag of the image in the stack's repository that serves it.")
@click.option("--lake", help="The stack's lake (default: the variable SALES_TECH_LAKE).")
def register(name: str, source: str, image_tag: str, lake: str | None) -> None:
    """Register the champion of a source; it then waits for approval."""
    from sales_tech.orchestration.release import register_champion
    from sales_tech.settings import Settings

    stack, _ = _opened(name)
    _tell(register_champion(Settings.load(lake=lake), stack, source, image_tag))


@endpoint.command()
@click.argument("version", type=int)
@stack_option
@reason_option
def approve(name: str, version: int, reason: str) -> None:
    """Allow a version to be served."""
    _, packages = _opened(name)
    _tell(packages.approve(_named(packages, version), reason))


@endpoint.command()
@click.argument("version", type=int)
@stack_option
@reason_option
def reject(name: str, version: int, reason: str) -> None:
    """Forbid a version to be served."""
    _, packages = _opened(name)
    _tell(packages.reject(_named(packages, version), reason))


@endpoint.command()
@click.argument("version", type=int)
@stack_option
def deploy(name: str, version: int) -> None:
    """Serve an approved version, and wait until its alarms have stayed still for long enough."""
    from sales_tech.aws import endpoints

    stack, packages = _opened(name)
    package = _named(packages, version)
    changed = endpoints.deploy(stack, package)
    Console().print(f"version {version} is served" if changed else f"version {version} was served already", highlight=False)


@endpoint.command()
@stack_option
@click.option("--lake", help="The stack's lake (default: the variable SALES_TECH_LAKE).")
def refresh(name: str, lake: str | None) -> None:
    """Have the model that is served tell from the newest sales, and wait as for a deploy."""
    from sales_tech.orchestration.refresh import refresh_endpoint
    from sales_tech.settings import Settings

    stack, _ = _opened(name)
    done = refresh_endpoint(Settings.load(lake=lake), stack)
    knows = "now knows" if done.changed else "knew already"
    Console().print(f"version {done.package.version} {knows} the sales until {done.origin:%Y-%m-%d}", highlight=False)


@endpoint.command()
@stack_option
@reason_option
def previous(name: str, reason: str) -> None:
    """Serve the newest approved version before the one that is served, which is rejected."""
    from sales_tech.aws import endpoints

    stack, packages = _opened(name)
    _tell(endpoints.previous(stack, packages, reason))


@endpoint.command()
@stack_option
def state(name: str) -> None:
    """Tell how the endpoint stands."""
    from sales_tech.aws import endpoints

    stack, _ = _opened(name)
    told = endpoints.state(stack)
    Console().print(f"{told.name} is {told.status} since {told.changed_at:%Y-%m-%d %H:%M %Z}", highlight=False)
    Console().print(f"{told.archive}\n{told.digest}{f'{chr(10)}{told.reason}' if told.reason else ''}", highlight=False, soft_wrap=True)


def _opened(name: str) -> tuple[Stack, ModelPackages]:
    with installed_packages():
        from sales_tech.aws.connection import Connection
        from sales_tech.aws.model_packages import ModelPackages
        from sales_tech.aws.stack import Stack
    stack = Stack(Connection(), name)
    return stack, ModelPackages(stack.connection, stack.output("ModelGroup"))


def _named(packages: ModelPackages, version: int) -> ModelPackage:
    found = {each.version: each for each in packages.versions()}
    if version not in found:
        known = ", ".join(map(str, found)) or "none yet"
        raise ModelError(f"{packages.group} has no version {version}; expected one of {known}")
    return found[version]


def _tell(package: ModelPackage) -> None:
    told = f"version {package.version} of {package.source} is {package.status}: {package.archive}"
    Console().print(told, highlight=False, soft_wrap=True)
