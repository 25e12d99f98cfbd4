"""The command line of the long tests: ``run`` makes them into a file, ``render`` writes the page from that file."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.soak import peers

_ROOT = Path(__file__).parents[2]
_RESULTS = Path(__file__).with_name("results.json")
_PAGE = _ROOT / "docs" / "explanation" / "reliability.md"
_BEGIN, _END = "<!-- figures -->\n", "<!-- end of figures -->\n"
_FILES = {
    "tests/integration/test_faults.py": "each fault is followed by a build that has to succeed",
    "tests/integration/test_signals.py": "SIGINT, SIGTERM and SIGHUP",
    "tests/integration/test_many_at_once.py": "eight at once, while others prune and clear the store",
    "tests/unit/test_fuzz.py": "pyproject.toml, metadata, archives, wheels, replies of interpreters, sources",
}
_EXAMPLES = re.compile(r"^\s+- (\d+) passing, (\d+) failing", re.MULTILINE)


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="make the long tests, or some of them, and keep what they found")
    run.add_argument("parts", nargs="*", metavar="PART", help="peers, or a file of tests; all without")
    run.add_argument("--short", action="store_true", help="no longer than in CI")
    run.add_argument("--tools", type=Path, help="where the other frontends are, or are to be installed")
    commands.add_parser("render", help="write the figures into the page")
    arguments = parser.parse_args()
    if arguments.command == "render":
        _render(json.loads(_RESULTS.read_text(encoding="utf-8")))
        return
    for number in (signal.SIGHUP, signal.SIGINT):  # nohup and shells would have the builds ignore them as well
        signal.signal(number, signal.SIG_DFL)
    known = json.loads(_RESULTS.read_text(encoding="utf-8")) if _RESULTS.exists() else {"tests": {}, "peers": {}}
    for file in _FILES:
        if not arguments.parts or file in arguments.parts:
            known["tests"][file] = _tested(file, is_short=arguments.short)
            _keep(known)
    if not arguments.parts or "peers" in arguments.parts:
        with tempfile.TemporaryDirectory(prefix="soak-") as folder:
            known["peers"] = _compared(arguments.tools or Path(folder, "tools"), Path(folder))
            _keep(known)


def _keep(known: dict[str, Any]) -> None:
    kernel = ".".join(platform.release().split(".")[:2])
    python = platform.python_version()
    known["machine"] = f"{platform.system()} {kernel}, CPython {python}, {os.cpu_count()} cores"
    known["date"] = dt.datetime.now(dt.timezone.utc).date().isoformat()
    _RESULTS.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


def _tested(file: str, *, is_short: bool) -> dict[str, Any]:
    """Run a file of tests, with all the time it wants unless it `is_short`; return what it counted."""
    begin = time.monotonic()
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as lines:
        environ = {**os.environ, "TEST_SOAK": "" if is_short else "1", "TEST_SOAK_RESULTS": lines.name}
        workers = "0" if "fuzz" in file else "2"  # the statistics are lost on the way from a worker
        argv = [sys.executable, "-m", "pytest", "-q", "-n", workers, "-p", "no:cacheprovider", file]
        done = subprocess.run(
            [*argv, "--hypothesis-show-statistics"], cwd=_ROOT, env=environ, check=False, capture_output=True, text=True
        )
        counted = [json.loads(line) for line in lines.read().splitlines()]
    sys.stdout.write(done.stdout[-3000:])
    examples = [(int(passing), int(failing)) for passing, failing in _EXAMPLES.findall(done.stdout)]
    if examples:
        count = sum(passing + failing for passing, failing in examples)
        lost = [f"{failing} examples" for _, failing in examples if failing]
        counted.append({"what": "inputs fuzzed", "count": count, "lost": lost})
    if is_short:
        counted = [{**item, "what": f"{item['what']} (as in CI)"} for item in counted]
    return {"code": done.returncode, "seconds": round(time.monotonic() - begin), "counted": _summed(counted)}


def _summed(counted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one item for each thing that was counted."""
    sums: dict[str, dict[str, Any]] = {}
    for item in counted:
        known = sums.setdefault(item["what"], {"what": item["what"], "count": 0, "lost": []})
        known["count"] += item["count"]
        known["lost"] += item["lost"]
    return list(sums.values())


def _compared(tools: Path, folder: Path) -> dict[str, Any]:
    """Let the same happen to each frontend."""
    frontends = peers.frontends(tools)
    rows = {}
    for trial in peers.TRIALS:
        rows[trial.name] = [peers.tried(trial, frontend, folder / "trial") for frontend in frontends]
        sys.stdout.write(f"{trial.name}: {rows[trial.name]}\n")
        sys.stdout.flush()
    return {"frontends": [item.name for item in frontends], "versions": peers.versions(tools), "rows": rows}


def _render(known: dict[str, Any]) -> None:
    text = _PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    _PAGE.write_text(before + _BEGIN + "\n".join(_figures(known)) + "\n" + _END + after, encoding="utf-8")


def _figures(known: dict[str, Any]) -> list[str]:
    lines = [
        f"Measured on {known['date']}: {known['machine']}.",
        "",
        "| what | how many | what was lost |",
        "|---|---|---|",
    ]
    totals: dict[str, tuple[int, list[str]]] = {}
    for part in known["tests"].values():
        for item in part["counted"]:
            count, lost = totals.get(item["what"], (0, []))
            totals[item["what"]] = count + item["count"], [*lost, *item["lost"]]
    lines += [f"| {what} | {count:,} | {len(lost) or 'nothing'} |" for what, (count, lost) in totals.items()]
    failed = [file for file, part in known["tests"].items() if part["code"]]
    lines += [
        "",
        f"Test files that failed: {', '.join(f'`{file}`' for file in failed)}." if failed else "No test failed.",
        "",
    ]
    compared = known["peers"]
    if compared:
        names = [f"**{name}**" if name == "passbuild" else name for name in compared["frontends"]]
        lines += [f"What is left {peers.SETTLED:.0f} s later; {compared['versions']}:", ""]
        lines += [f"| | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
        for name, cells in compared["rows"].items():
            lines.append(f"| {name} | {' | '.join(cell or 'nothing' for cell in cells)} |")
        lines.append("")
    return lines


if __name__ == "__main__":
    main()
