"""The page of the benchmark says what its results say."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import chart, page, results, scenarios, targets
from benchmarks.__main__ import reasons
from benchmarks.results import BYTES, COUNT, SECONDS, Group, Machine, Ratio, Result, Results, Row
from benchmarks.scenarios import rebuild

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "benchmarks.md"
FLOOR = Row(name="the hooks alone", samples=(1.0, 1.0, 1.0, 1.0))
UV = Row(name="uv build", samples=(2.0, 4.0, 4.0, 8.0))


def row(name: str, *samples: float) -> Row:
    """Return a row with these samples."""
    return Row(name=name, samples=samples)


def group(name: str, *rows: Row, unit: str = SECONDS) -> Group:
    """Return a group of rows."""
    return Group(name=name, unit=unit, rows=rows)


def result(key: str, *groups: Group, skipped: str = "") -> Result:
    """Return what one scenario found."""
    return Result(
        key=key,
        started="2000-01-02T03:04:05+00:00",
        rounds=4,
        machine=Machine(cpu="Abacus", cores=2, memory=8_000_000_000, system="Linux", python="CPython 3.11"),
        load=(0.25, 1.5),
        interpreter=(0.01, 0.02, 0.03),
        versions={"uv": "9.9"},
        has_store=False,
        groups=groups,
        skipped=skipped,
    )


def known(*found: Result) -> Results:
    """Return results by their keys."""
    return Results(by_key={item.key: item for item in found})


def finding(key: str, found: Results) -> targets.Finding | None:
    """Return what a target finds."""
    (target,) = [item for item in targets.ALL if item.key == key]
    return target.found(found)


def warm(*seconds: float) -> Results:
    """Return results of flit_core alone, with these seconds of passbuild."""
    return known(result("a", group("flit_core", FLOOR, row("passbuild", *seconds), UV)))


def test_ratio_is_that_of_medians_with_the_quartiles_of_the_rounds() -> None:
    """Rounds are compared with themselves: 1/2, 2/4, 4/4 and 2/8."""
    ratio = Ratio.between(row("passbuild", 1.0, 2.0, 4.0, 2.0), UV)

    assert ratio == Ratio(value=0.5, low=0.4375, high=0.625)


def test_spread_of_few_samples_is_their_least_and_greatest() -> None:
    """Three samples have no quartiles worth the name."""
    assert results.spread([3.0, 1.0, 2.0]) == (1.0, 3.0)


def test_results_come_back_from_their_file_as_they_were(tmp_path: Path) -> None:
    """JSON keeps all of it, failures and skipped scenarios too."""
    file = tmp_path / "results.json"
    saved = known(
        result("a", group("flit_core", FLOOR, Row(name="pip wheel", failure="exit code 1"))),
        result("c", skipped="there is no torch"),
    )

    results.save(saved, file)

    assert results.load(file) == saved


def test_a_scenario_that_ran_again_takes_the_place_of_the_older_one() -> None:
    """The others stay."""
    older, other, newer = result("a"), result("b"), replace(result("a"), rounds=9)

    assert known(older, other).with_result(newer) == known(newer, other)


@pytest.mark.parametrize(("seconds", "status"), [(3.0, "met"), (3.1, "missed")])
def test_target_is_met_up_to_its_limit(seconds: float, status: str) -> None:
    """0.75 of four seconds are three."""
    found = finding("a-flit_core", warm(*[seconds] * 4))

    assert found is not None
    assert found.status == status


def test_target_over_several_groups_is_that_of_the_worst_and_names_what_is_missing() -> None:
    """meson-python misses 1.15; nothing is said for the backends that were not measured."""
    fine = result("d-setuptools", group("unchanged", FLOOR, row("passbuild", 1.0, 1.0, 1.0, 1.0)))
    slow = result("d-meson-python", group("unchanged", FLOOR, row("passbuild", 1.2, 1.2, 1.2, 1.2)))

    worst, partial = finding("d-floor", known(fine, slow)), finding("d-floor", known(fine))

    assert worst is not None
    assert (worst.text, worst.status) == (
        "1.20 (1.20\N{EN DASH}1.20), meson-python; not measured: scikit-build-core, torch",
        "missed",
    )
    assert partial is not None
    assert partial.status == "met as far as measured"


def test_target_that_is_a_least_is_missed_by_the_least() -> None:
    """Ten times is the target: `uv build` takes 16 times as long for one backend, and 8 times for another."""
    seconds = {"d-setuptools": 1.0, "d-meson-python": 2.0}
    slow = row("uv build", 16.0, 16.0)
    found = [result(key, group("unchanged", slow, row("passbuild", *[value] * 2))) for key, value in seconds.items()]

    both, one = finding("d-uv", known(*found)), finding("d-uv", known(found[0]))

    assert both is not None
    assert both.text.startswith("8.00 (8.00\N{EN DASH}8.00), meson-python; not measured: ")
    assert both.status == "missed"
    assert one is not None
    assert one.is_met


def test_seconds_over_the_floor_are_allowed_by_the_speed_of_the_interpreter() -> None:
    """0.12 s where `python -c pass` takes 0.01 s are 0.24 s where it takes 0.02 s."""
    backends = ("flit_core", "hatchling", "setuptools", "poetry-core", "pdm-backend")

    def over(seconds: float) -> targets.Finding | None:
        found = [group(name, FLOOR, row("passbuild", *[1.0 + seconds] * 4)) for name in backends]
        return finding("a-floor", known(result("a", *found)))

    within, beyond = over(0.2), over(0.3)

    assert within is not None
    assert within.is_met
    assert beyond is not None
    assert not beyond.is_met


def test_counts_are_met_in_every_round_or_missed() -> None:
    """One environment too many in one round is one built twice."""
    needed = row("different environments needed", 4, 4)
    processes = [row(f"passbuild, {name}", 4, 4) for name in ("1 process", "2 processes", "4 processes")]
    made = [
        group("environments built, from an empty store", needed, *processes, last, unit=COUNT)
        for last in (row("passbuild, 8 processes", 4, 4), row("passbuild, 8 processes", 4, 5))
    ]

    once, twice = (finding("g-environments", known(result("g", item))) for item in made)

    assert once is not None
    assert once.is_met
    assert twice is not None
    assert (twice.text, twice.is_met) == ("at most 5 built where 4 are needed", False)


def test_what_was_not_measured_is_not_met() -> None:
    """No target is met by results that are not there, and the page says so for each."""
    text = page.rendered(Results(), {})

    assert [target.found(Results()) for target in targets.ALL] == [None] * len(targets.ALL)
    assert text.count("| not measured |") == len(targets.ALL)
    assert text.count("\nNot measured yet.\n") == len(scenarios.ALL)
    assert page.PICTURE not in text


def test_page_shows_times_ratios_and_circumstances() -> None:
    """A row has its median and quartiles, what it takes over the floor, and how passbuild compares."""
    text = page.rendered(warm(1.5, 1.5, 1.5, 1.5), {})

    assert "| **passbuild** | 1.50 s | 0.500 s | 1.50 (1.50\N{EN DASH}1.50) |  |\n" in text
    assert "| uv build | 4.00 s (3.50 s\N{EN DASH}5.00 s) | 3.00 s | 4.00 (3.50\N{EN DASH}5.00) | 0.38 (" in text
    assert "load 0.25 before and 1.50 after." in text
    assert "Abacus, 2 cores, 8.0 GB of memory; Linux; CPython 3.11, which takes 0.0200 s for `python -c pass`." in text


def test_page_says_what_failed_and_what_was_skipped() -> None:
    """Neither goes missing."""
    failed = group("meson", FLOOR, Row(name="pip wheel", failure="exit code 1: a | b"), unit=BYTES)

    text = page.rendered(known(result("h", failed), result("c", skipped="there is no torch")), {})

    assert "| pip wheel | failed: exit code 1: a / b |" in text
    assert "Not measured in this run: there is no torch." in text


def test_missed_target_has_its_reason_beside_it() -> None:
    """It comes from reasons.toml; where there is none the page says that too."""
    slow = warm(9.0, 9.0, 9.0, 9.0)

    assert "flit_core: The disk is slow.\n" in page.rendered(slow, {"a-flit_core": "The disk is slow."})
    assert "flit_core: not yet known.\n" in page.rendered(slow, {})
    assert "not yet known" not in page.rendered(warm(1.0, 1.0, 1.0, 1.0), {})


def test_reason_for_no_target_is_refused() -> None:
    """A mistyped key would hide a reason."""
    with pytest.raises(SystemExit, match="a-flitcore"):
        page.rendered(Results(), {"a-flitcore": "?"})


def test_picture_has_a_bar_for_each_row_that_was_measured() -> None:
    """It is well-formed, and the longest bar is that of the slowest."""
    measured = warm(2.0, 2.0, 2.0, 2.0).by_key["a"].groups[0]
    rows = (*measured.rows, Row(name="hatch build", failure="exit code 1"))

    drawn = ET.fromstring(chart.drawn(known(result("a", replace(measured, rows=rows)))))

    bars = {bar.get("class"): float(bar.get("width", "0")) for bar in drawn.iter("{http://www.w3.org/2000/svg}rect")}
    assert bars.keys() == {"paper", "floor", "ours", "peer"}
    assert bars["floor"] * 4 == bars["ours"] * 2 == bars["peer"]


def test_scenarios_are_chosen_by_their_keys_or_the_first_part() -> None:
    """`d` is every rebuild; what is unknown is refused, with all there are."""
    assert [item.key for item in scenarios.chosen(["b", "d-torch"])] == ["b", "d-torch"]
    assert [item.key for item in scenarios.chosen(["d"])] == list(rebuild.KEYS)
    assert scenarios.chosen([]) == list(scenarios.ALL)
    with pytest.raises(SystemExit, match="no such scenario: z; there are start, a, b,"):
        scenarios.chosen(["a", "z"])


def test_page_in_the_documentation_is_what_the_results_in_the_repository_give() -> None:
    """Nobody edits it by hand."""
    found = results.load(ROOT / "benchmarks" / "results.json")

    assert PAGE.read_text(encoding="utf-8") == page.rendered(found, reasons())
