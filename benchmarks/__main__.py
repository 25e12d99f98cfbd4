"""The command line of the benchmark: ``run`` measures into a file, ``render`` writes the page from that file."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from benchmarks import chart, page, results, scenarios
from benchmarks.lab import ROOT, Lab
from benchmarks.measure import tell
from benchmarks.scenarios.scenario import result

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_HERE = Path(__file__).parent


def main() -> None:
    """Do what the command line says."""
    arguments = _parser().parse_args()
    if arguments.command == "render":
        _render(arguments.results, arguments.docs)
    elif arguments.work is None:
        with tempfile.TemporaryDirectory(prefix="passbuild-benchmarks-") as work:
            _run(arguments, Path(work))
    else:
        arguments.work.mkdir(parents=True, exist_ok=True)
        _run(arguments, arguments.work.absolute())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    names = ", ".join(item.key for item in scenarios.ALL)
    run = commands.add_parser("run", help="measure scenarios and put them into the results, in place of older ones")
    run.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"{names}; d is all that begin with it")
    run.add_argument("--rounds", type=int, help="rounds that count, instead of each scenario's own number")
    run.add_argument("--work", type=Path, help="work below this folder and leave it (default: a temporary one)")
    run.add_argument("--torch-host", type=Path, default=_path("TEST_TORCH_HOST"), help="an environment with torch")
    run.add_argument(
        "--torch-wheels", type=Path, default=_path("TEST_TORCH_WHEELS"), help="a folder with the wheel of that torch"
    )
    render = commands.add_parser("render", help="write the page and the picture from the results")
    render.add_argument("--docs", type=Path, default=ROOT / "docs", help="the folder of the page")
    for command in (run, render):
        command.add_argument("--results", type=Path, default=_HERE / "results.json", help="the file of the results")
    return parser


def _run(arguments: argparse.Namespace, work: Path) -> None:
    wanted = scenarios.chosen(arguments.scenarios)
    lab = Lab(
        work=work,
        rounds=arguments.rounds,
        torch_host=arguments.torch_host,
        torch_wheels=arguments.torch_wheels,
    )
    lab.set_up()
    versions = lab.versions()
    tell(", ".join(f"{name} {version}" for name, version in versions.items()))
    for scenario in wanted:
        found = result(scenario, lab, versions)
        results.save(results.load(arguments.results).with_result(found), arguments.results)


def _render(file: Path, docs: Path) -> None:
    known = results.load(file)
    (docs / "benchmarks.md").write_text(page.rendered(known, reasons()), encoding="utf-8")
    if page.has_picture(known):
        (docs / page.PICTURE).parent.mkdir(exist_ok=True)
        (docs / page.PICTURE).write_text(chart.drawn(known), encoding="utf-8")


def reasons() -> dict[str, str]:
    """Return why targets are missed, by their keys."""
    return {key: str(text) for key, text in tomllib.loads((_HERE / "reasons.toml").read_text(encoding="utf-8")).items()}


def _path(variable: str) -> Path | None:
    text = os.environ.get(variable)
    return Path(text) if text else None


if __name__ == "__main__":
    main()
