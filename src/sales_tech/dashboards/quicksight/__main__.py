"""Writes the template: `python -m sales_tech.dashboards.quicksight [--language en] [FOLDER]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sales_tech.dashboards.quicksight.template import template, text
from sales_tech.dashboards.reading import load_dashboards


def main(arguments: list[str] | None = None) -> None:
    """Write the template of the dashboards of a folder to standard output."""
    parser = argparse.ArgumentParser(prog="python -m sales_tech.dashboards.quicksight", description="Write QuickSight's template.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("dashboards"), help="folder of the dashboards' YAML files")
    parser.add_argument("--language", choices=("pt", "en"), default="pt", help="language of all titles and labels")
    given = parser.parse_args(arguments)
    sys.stdout.write(text(template(load_dashboards(given.folder), given.language)))


if __name__ == "__main__":
    main()
