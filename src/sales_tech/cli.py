"""Sales Tech's command line: run the pipeline, see its plan, ask the lake, post order events."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from sales_tech import __version__, disk
from sales_tech.cli_endpoint import endpoint
from sales_tech.cli_help import Commands, Sql
from sales_tech.errors import SalesTechError, SettingsError
from sales_tech.settings import Settings, asset

lake_option = click.option("--lake", help="The lake's folder (default: ./lake), or s3://bucket/prefix.")
landing_option = click.option("--landing", help="Where files arrive (default: ./landing), or s3://bucket.")
sources_option = click.option(
    "--sources", type=click.Path(path_type=Path), multiple=True, help="A pack, or a folder of packs, besides ./sources."
)
date_option = click.option("--run-date", help="Business day of the run, such as 2026-03-01 (default: today, by UTC).")
step_option = click.option("--step", "names", multiple=True, help="Only this step, such as silver/sales; may be repeated.")
engine_option = click.option("--engine", help="What makes silver and gold: duckdb (default) or spark, for more than one machine holds.")
force_option = click.option("--force", is_flag=True, help="Build again even what is up to date.")


class _Commands(Commands):
    """Commands of which a wrong option ends with exit code 1: click's own is 2, which tells a scheduler of rejected files."""

    def make_context(self, *words: Any, **more: Any) -> click.Context:
        """Read what stands before the command."""
        with _failing():
            return super().make_context(*words, **more)

    def invoke(self, ctx: click.Context) -> Any:
        """Read and run the command."""
        with _failing():
            return super().invoke(ctx)


@contextmanager
def _failing() -> Iterator[None]:
    try:
        yield
    except click.UsageError as error:
        error.exit_code = 1  # type: ignore[misc]  # click reads it from the error that it catches
        raise


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(version)s")
def main() -> None:
    """Sales analytics lake: CSV exports in, trusted tables out."""


main.add_command(endpoint)


@main.command()
@landing_option
@lake_option
@sources_option
@date_option
@step_option
@engine_option
@force_option
def run(names: tuple[str, ...], run_date: str | None, force: bool, **given: Any) -> None:
    """Run what is stale, in order; exit code 1 for a failure, 2 where files were rejected, now or before, and stand unread."""
    from sales_tech.orchestration.dashboard import refresh
    from sales_tech.orchestration.pipeline import EXIT_CODES, execute_run
    from sales_tech.orchestration.progress import watcher
    from sales_tech.orchestration.steps import chosen
    from sales_tech.orchestration.summary import show_outcome
    from sales_tech.runs import Run

    console = Console()
    this_run = Run.begin(Settings.load(**given), run_date=run_date, force=force)
    with watcher(console) as watch:
        outcome = execute_run(this_run, chosen(names), asset("notebooks"), watch)
    show_outcome(console, outcome, refresh(outcome))
    sys.exit(EXIT_CODES[outcome.outcome])


@main.command()
@landing_option
@lake_option
@sources_option
@step_option
@force_option
def plan(names: tuple[str, ...], force: bool, **given: Any) -> None:
    """Show which steps would run, and why or why not."""
    from sales_tech.orchestration.plan import plan as planned
    from sales_tech.orchestration.steps import chosen
    from sales_tech.orchestration.summary import show_plan
    from sales_tech.runs import Run

    show_plan(Console(), planned(Run.begin(Settings.load(**given), force=force), chosen(names)))


@main.command(cls=Sql)
@click.argument("sql")
@lake_option
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
def query(sql: str, lake: str | None, form: str) -> None:
    """Answer one select in Athena's SQL over silver and gold, also FOR VERSION or TIMESTAMP AS OF."""
    from sales_tech.lake.query import Reader
    from sales_tech.orchestration.summary import show_answer

    show_answer(Console(), Reader(Settings.load(lake=lake)).arrow(sql), form)


@main.command()
@lake_option
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="The file to write (default: dashboard.html in the lake's folder)."
)
@click.option("--open", "opened", is_flag=True, help="Show it in the browser.")
def dashboard(lake: str | None, output: Path | None, opened: bool) -> None:
    """Write all dashboards into one HTML file that needs no server and no network."""
    from sales_tech.lake.store import existing
    from sales_tech.orchestration.dashboard import make_page

    path = make_page(existing(Settings.load(lake=lake)), output)
    Console().print(f"Wrote {path} ({path.stat().st_size / 1e6:.1f} MB)", highlight=False, soft_wrap=True)
    if opened:
        click.launch(str(path))


@main.command()
@lake_option
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
def runs(lake: str | None, form: str) -> None:
    """Show the ledger: the latest runs and how they ended."""
    from sales_tech.lake.query import Reader
    from sales_tech.orchestration.summary import show_answer

    ledger = """select run_id, run_date, seconds, outcome, steps, files_loaded, files_rejected, code_version,
        substr(message, 1, 160) as message
        from gold.pipeline_runs order by run_id desc limit 20"""
    show_answer(Console(), Reader(Settings.load(lake=lake)).arrow(ledger), form)


@main.command()
@lake_option
@click.option("--source", help="Only of this source.")
@click.option("--use", "version", metavar="VERSION", help="Put this version in use again; the next run forecasts by it.")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
def models(lake: str | None, source: str | None, version: str | None, form: str) -> None:
    """Show the registered models and which is in use, or put an earlier one in use again."""
    from sales_tech.lake.store import existing
    from sales_tech.models.listing import listed, put_in_use, refusals
    from sales_tech.models.registry import Registry
    from sales_tech.orchestration.summary import show_answer

    registry = Registry(existing(Settings.load(lake=lake)))
    if version is None:
        show_answer(Console(), listed(registry, source), form)
        for said in refusals(registry, source) if form == "table" else ():
            Console().print(escape(said), highlight=False, soft_wrap=True)
    else:
        Console().print(put_in_use(registry, version, source), highlight=False, soft_wrap=True)


@main.command("post-events")
@click.argument("file", type=click.Path(path_type=Path))
@landing_option
def post(file: Path, landing: str | None) -> None:
    """Send order events (JSON lines) through the queue's consumer into the landing folder; exit code 2 where some were refused."""
    from sales_tech.orchestration.post_events import post_events
    from sales_tech.orchestration.progress import counter
    from sales_tech.orchestration.summary import show_posted

    console, settings = Console(), Settings.load(landing=landing)
    with counter(console, "events sent") as watch:
        posted = post_events(file, settings, watch=watch)
    show_posted(console, posted, settings)
    sys.exit(2 if posted.refused else 0)


@main.command()
@click.option("--difficulty", "difficulties", multiple=True, help="default, hard or shock; may be given several times. All by default.")
@click.option("--seeds", default=5, show_default=True, help="How many fresh seeds are drawn.")
@click.option("--seed", "given", multiple=True, type=click.IntRange(min=0), help="A seed to use instead; may be repeated.")
@click.option("--json", "path", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures into this file as well.")
def scorecard(difficulties: tuple[str, ...], seeds: int, given: tuple[int, ...], path: Path | None) -> None:
    """Judge the analysis of promotions on synthetic retailers whose truth is known; exit code 1 where a goal is missed."""
    from sales_tech.scorecard.report import fresh_seeds, run_scorecard, show_scorecard, show_trial, write_scorecard
    from sales_tech.twin.scenario import SCENARIOS, scenario_named

    if seeds < 1:
        raise SettingsError(f"seeds is {seeds}; expected at least 1")
    names = [scenario_named(name).name for name in difficulties or SCENARIOS]
    progress = Console(stderr=True)
    told = run_scorecard(names, given or fresh_seeds(seeds), watch=lambda trial: show_trial(progress, trial))
    if path is not None:
        write_scorecard(path, told)
    sys.exit(0 if show_scorecard(Console(), told) else 1)


@main.command()
@click.argument("folder")
@click.option("--lines", default=120_000, show_default=True, help="About how many order lines, from 10000 to 100000000.")
@click.option("--difficulty", default="default", show_default=True, help="How hard the promotions are to judge: default, hard or shock.")
@click.option("--seed", type=click.IntRange(min=0), default=7, show_default=True, help="The same seed writes the same bytes.")
@click.option("--clean", is_flag=True, help="Without the dirt of real exports: every line can be read, none is repeated.")
@click.option(
    "--truth", type=click.Path(dir_okay=False, path_type=Path), help="Write the true effects of the promotions into this CSV file."
)
def twin(folder: str, lines: int, difficulty: str, seed: int, clean: bool, truth: Path | None) -> None:
    """Write a synthetic retailer's exports, whose promotions have known effects, into a landing folder, and post its order events."""
    from sales_tech.orchestration.post_events import post_events
    from sales_tech.orchestration.progress import counter
    from sales_tech.orchestration.summary import show_posted
    from sales_tech.twin import write_twin

    console, settings = Console(), Settings.load(landing=folder)
    if not isinstance(settings.landing, Path):
        raise SettingsError(f"{folder!r} is no folder of this machine; expected one to write in")
    with counter(Console(stderr=True), "lines written") as watch:
        made = write_twin(settings.landing, lines=lines, difficulty=difficulty, seed=seed, dirt=not clean, truth=truth, watch=watch)
    size = f"{made.size.stores:,} stores, {made.size.skus:,} SKUs, {made.size.months} months, {made.size.promotions:,} promotions"
    console.print(
        f"Wrote {len(made.files)} files with {made.sales_lines:,} sales lines into {escape(folder)}: {size}",
        highlight=False,
        soft_wrap=True,
    )
    show_posted(console, post_events(made.stream.path, settings), settings)


@main.command("plan-promotion")
@lake_option
@click.option("--source", help="The source to ask (default: the only one that has a forecast).")
@click.option("--sku", "skus", multiple=True, help="A SKU to promote; may be repeated.")
@click.option("--category", help="Promote all SKUs of a category.")
@click.option(
    "--discount", "discounts", multiple=True, help="Off the list price, such as 20%; repeat it to compare. All tried depths by default."
)
@click.option("--mechanic", help="How it works, as the source names it (default: the usual one of the category).")
@click.option(
    "--from", "first", type=click.DateTime(["%Y-%m-%d"]), metavar="YYYY-MM-DD", help="First day (default: the day after the last sales)."
)
@click.option("--days", type=click.IntRange(min=1), help="How many days (default: 10).")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), metavar="YYYY-MM-DD", help="Last day, instead of --days.")
@click.option("--channel", "channels", multiple=True, help="Only in this channel; may be repeated.")
@click.option("--region", help="Only in this sales region.")
@click.option("--display", is_flag=True, help="With extra display in the shop.")
@click.option("--investment", type=click.FloatRange(min=0), default=0.0, show_default=True, help="Money spent besides the discount.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def plan_promotion(lake: str | None, source: str | None, discounts: tuple[str, ...], form: str, **given: Any) -> None:
    """Tell what a promotion to come would sell and earn, and which depth of discount earns most."""
    from sales_tech.lake.store import existing
    from sales_tech.orchestration.plan_promotion import Wish, answer, share_of, show_promotion

    if given["days"] and given["last"]:
        raise SettingsError("both --days and --to were given; expected one of them")
    days = {name: given.pop(name) for name in ("first", "last")}
    wish = Wish(discounts=tuple(map(share_of, discounts)), **given, **{name: day and day.date() for name, day in days.items()})
    show_promotion(Console(), answer(existing(Settings.load(lake=lake)), wish, source), form)


@main.command()
def night() -> None:
    """Run the pipeline as a SageMaker Processing job: settings from the environment, a failure told in its message file."""
    from sales_tech.orchestration.night import run_night

    sys.exit(run_night(Console()))


@main.command()
@lake_option
@click.option("--source", help="Which source's model answers (default: the only one there is).")
@click.option("--port", type=click.IntRange(1, 65535), help="Where it listens (default: 8080).")
def serve(lake: str | None, source: str | None, port: int | None) -> None:
    """Answer plans over HTTP from a lake's model, on this machine only; without a lake in a container, from SM_MODEL_DIR."""
    from sales_tech.serving import server

    at = port or server.usual_port()
    if lake is None and server.in_container():
        server.serve(server.of_folder(server.model_folder()), server.EVERYWHERE, at)
    else:
        from sales_tech.lake.store import existing
        from sales_tech.orchestration.serving import known_source
        from sales_tech.serving.nights import Nights

        settings = existing(Settings.load(lake=lake))
        nights = Nights(settings, known_source(settings, source))

        def listening() -> None:
            Console(stderr=True).print(f"http://{server.LOOPBACK}:{at}/ answers plans, /docs describes it; Ctrl-C ends it", highlight=False)

        server.serve(nights.served, server.LOOPBACK, at, nights, listening)


@main.command("train-job")
def train_job() -> None:
    """Fit a model as a SageMaker training job: folders and hyperparameters as SageMaker lays them, a failure told in output/failure."""
    from sales_tech.models.job import train

    sys.exit(train(Console()))


def entry() -> None:
    """Run the command line; what the package refuses on purpose is told in its own words."""
    # Threads that wait by spinning make a fit take ten times as long where other work has the cores; kernels inherit this.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        main()
    except (SalesTechError, OSError) as error:
        # Anything else keeps its traceback.
        said = str(error) if isinstance(error, SalesTechError) else disk.refusal(error)
        if said is None:
            raise
        Console(stderr=True).print(f"[red]error[/] {escape(said)}", highlight=False, soft_wrap=True)
        sys.exit(1)
