"""Writes the template: `python -m sales_tech.dashboards.quicksight [--language en] [FOLDER]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sales_tech.dashboards.quicksight.template import template, text
from sales_tech.dashboards.reading import load_dashboards
from sales_tech.errors import ContractError


def main(arguments: list[str] | None = None) -> int:
    """Write the template of the dashboards of a folder to standard output; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sales_tech.dashboards.quicksight", description="Write QuickSight's template.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("dashboards"), help="folder of the dashboards' YAML files")
    parser.add_argument("--language", choices=("pt", "en"), default="pt", help="language of all titles and labels")
    given = parser.parse_args(arguments)
    try:
        dashboards = load_dashboards(given.folder)
        if not dashboards:
            raise ContractError(given.folder, None, "no dashboard", "files such as sales.yaml in it")
        written = text(template(dashboards, given.language))
    except ContractError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(written)
    return 0


if __name__ == "__main__":
    sys.exit(main())
