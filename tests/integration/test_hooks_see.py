"""What the hooks' processes see of the machine: the build environment, the passed packages, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.bench import seen

if TYPE_CHECKING:
    from tests.integration.bench import Bench


def test_hooks_run_in_the_build_environment(bench: Bench) -> None:
    """VIRTUAL_ENV, PATH and the interpreter are those of the build environment; the folder is the source tree."""
    host = bench.host("engine==1.0", "fuel==1.0")
    project = bench.project(imports=["engine"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine")

    assert run.code == 0, run.stderr
    environ, prefix = run.seen["environ"], run.seen["prefix"]
    assert prefix != str(host)
    assert environ["VIRTUAL_ENV"] == prefix
    assert environ["PATH"].split(os.pathsep)[0] == str(Path(prefix) / "bin")
    assert run.seen["executable"].startswith(prefix)
    assert run.seen["cwd"] == str(project)


def test_hooks_see_nothing_of_the_variables_that_lead_elsewhere(bench: Bench) -> None:
    """PYTHONPATH, the user site and leftovers of an outer build are out of the way; other variables stay."""
    host = bench.host()
    stray = bench.folder / "stray"
    user_site = bench.folder / "user" / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    for folder, module in ((stray, "strayed"), (user_site, "userly")):
        folder.mkdir(parents=True)
        (folder / f"{module}.py").touch()
    project = bench.project(tries=["strayed", "userly"])
    variables = {
        "PYTHONPATH": str(stray),
        "PYTHONUSERBASE": str(bench.folder / "user"),
        "_PYPROJECT_HOOKS_BACKEND_PATH": str(stray),
        "_PYPROJECT_HOOKS_LEFT_OVER": "1",
        "MY_OWN": "kept",
    }

    run = bench.passbuild("wheel", project, "--host", host, environ=variables)

    assert run.code == 0, run.stderr
    assert run.seen["modules"] == {"strayed": None, "userly": None}
    assert run.seen["no_user_site"]
    assert "PYTHONPATH" not in run.seen["environ"]
    assert "_PYPROJECT_HOOKS_LEFT_OVER" not in run.seen["environ"]
    assert str(stray) not in run.seen["path"]
    assert run.seen["environ"]["MY_OWN"] == "kept"


def test_hooks_see_no_pythonhome(bench: Bench) -> None:
    """A PYTHONHOME under which passbuild itself runs is not handed to the hooks."""
    base = getattr(sys, "_base_executable", sys.executable)
    shown = [entry for entry in sys.path if entry.endswith(("site-packages", "src"))]
    project = bench.project(requires=["tool"], imports=["tool"])
    variables = {"PYTHONHOME": sys.base_prefix, "PYTHONPATH": os.pathsep.join(shown)}

    run = bench.passbuild("wheel", project, "--host", base, python=base, environ=variables)

    assert run.code == 0, run.stderr
    assert "PYTHONHOME" not in run.seen["environ"]
    assert run.seen["modules"]["tool"]["file"].startswith(run.seen["prefix"])


@pytest.mark.parametrize("flag", ["-I", "-E", "-s", "-P" if sys.version_info >= (3, 11) else "-B"])
def test_child_processes_see_the_passed_packages(bench: Bench, flag: str) -> None:
    """A Python that the backend starts, however isolated, finds them at the same true path."""
    host = bench.host("engine==1.0", "fuel==1.0")
    project = bench.project(imports=["engine", "engine.part"], children=[flag])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine")

    assert run.code == 0, run.stderr
    assert run.seen["children"][flag] == {
        "engine": str(host.site_packages / "engine" / "__init__.py"),
        "engine.part": str(host.site_packages / "engine" / "part.py"),
    }


def test_no_byte_code_is_written_into_the_host(bench: Bench) -> None:
    """Passed packages without byte code stay without, though hooks and their children import them."""
    host = bench.host("engine==1.0", "fuel==1.0")
    project = bench.project(imports=["engine", "engine.part", "fuel"], children=["-I", "-E"])
    variables = {"PYTHONDONTWRITEBYTECODE": ""}

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine", environ=variables)

    assert run.code == 0, run.stderr
    assert list(host.site_packages.glob("engine/__pycache__")) == []
    assert list(host.site_packages.glob("fuel/__pycache__")) == []


def test_byte_code_of_an_editable_passed_package_is_not_written(bench: Bench) -> None:
    """The sources of an editable install lie elsewhere; nothing is written there either."""
    sources = bench.folder / "sources"
    (sources / "engine").mkdir(parents=True)
    (sources / "engine" / "__init__.py").write_text("__version__ = '4.0'\n", encoding="utf-8")
    host = bench.own_host()
    info = host.site_packages / "engine-4.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: engine\nVersion: 4.0\n", encoding="utf-8")
    (info / "direct_url.json").write_text(
        f'{{"url": "{sources.as_uri()}", "dir_info": {{"editable": true}}}}', encoding="utf-8"
    )
    (info / "RECORD").write_text("__editable__.engine-4.0.pth,,\nengine-4.0.dist-info/METADATA,,\n", encoding="utf-8")
    (host.site_packages / "__editable__.engine-4.0.pth").write_text(f"{sources}\n", encoding="utf-8")
    bench.watch(host)
    project = bench.project(requires=["engine>=4"], imports=["engine"], children=["-E", "-s"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine")

    assert run.code == 0, run.stderr
    assert run.document["passed"][0]["editable"] is True
    assert run.seen["modules"]["engine"] == {"version": "4.0", "file": str(sources / "engine" / "__init__.py")}
    assert list(sources.rglob("__pycache__")) == []


def test_unnamed_packages_of_the_host_cannot_be_imported(bench: Bench, installer: str) -> None:
    """Neither by name nor through metadata, although a passed package lies beside them."""
    host = bench.host("engine==1.0", "fuel==1.0", "tool==1.0", "misnamed==1.0")
    project = bench.project(imports=["engine"], tries=["tool", "other_module"], distributions=["tool", "misnamed"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine", "--installer", installer)

    assert run.code == 0, run.stderr
    assert run.seen["modules"]["tool"] is None
    assert run.seen["modules"]["other_module"] is None
    assert run.seen["distributions"] == {"tool": None, "misnamed": None}
    assert str(host.site_packages) not in run.seen["path"]


def test_scripts_and_data_of_passed_packages_are_where_tools_look(bench: Bench) -> None:
    """Scripts run by name in the build environment's Python; data lies below its sys.prefix."""
    host = bench.host("scripted==1.0")
    project = bench.project(imports=["scripted"], programs=["scripted-say", "scripted-native"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "scripted", "--keep")
    prefix = Path(run.seen["prefix"])
    data = (prefix / "share" / "scripted" / "data.txt").read_text(encoding="utf-8")
    bench.remove_kept(run)

    assert run.code == 0, run.stderr
    assert run.seen["programs"] == {"scripted-say": f"scripted {prefix}", "scripted-native": f"native {prefix}"}
    assert data == "data\n"


def test_a_passed_package_that_nothing_imported_is_warned_about(bench: Bench) -> None:
    """Exit code 0 is not proof: what was passed through for nothing is said, what was imported is not."""
    host = bench.host("engine==1.0", "fuel==1.0", "shared-one==1.0")
    project = bench.project(imports=["engine"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine", "--passthrough", "shared-one")

    assert run.code == 0, run.stderr
    (warning,) = run.document["warnings"]
    assert warning.startswith("shared-one was passed through, but")


def test_what_is_found_first_on_the_path_wins(bench: Bench) -> None:
    """A module of the backend's own folder shadows a passed package of that name, as in any environment."""
    host = bench.host("engine==1.0", "fuel==1.0")
    project = bench.project(imports=["engine"])
    (project / "backend" / "engine.py").write_text("__version__ = 'own'\n", encoding="utf-8")

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine")

    assert run.code == 0, run.stderr
    assert run.seen["modules"]["engine"]["file"] == str(project / "backend" / "engine.py")


def test_a_host_inside_the_source_tree_is_shown_by_the_views_path(bench: Bench) -> None:
    """`.venv` beside pyproject.toml: meson refuses include paths inside the source tree, so the view's is used."""
    project = bench.project(imports=["engine"])
    host = bench.own_host("engine==1.0", "fuel==1.0", folder=project / ".venv")
    bench.watch(host)

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine")

    assert run.code == 0, run.stderr
    assert not run.seen["modules"]["engine"]["file"].startswith(str(project))


def test_the_wheel_of_a_build_installs_and_works(bench: Bench) -> None:
    """The artifact is installed by pip into an environment, and its module imports."""
    host = bench.own_host("engine==1.0", "fuel==1.0")
    project = bench.project(imports=["engine"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine")
    (artifact,) = run.document["artifacts"]
    pip = [sys.executable, "-m", "pip", "--python", host.python, "install", "--no-deps", artifact["path"]]
    bench.workshop.run(*pip)
    answer = subprocess.run(
        [host.python, "-c", "import sample; print(sample.__file__)"], check=True, capture_output=True, encoding="utf-8"
    )

    assert answer.stdout.strip() == str(host.site_packages / "sample" / "__init__.py")
    assert seen(Path(artifact["path"]))["hook"] == "build_wheel"


def test_settings_of_ours_do_not_reach_the_backend(bench: Bench) -> None:
    """An index with credentials in a variable is for the installer; what the finder needs is there all the same."""
    host = bench.host("engine==1.0", "fuel==1.0")
    project = bench.project(imports=["engine"])
    secret = {"PASSBUILD_EXTRA_INDEX_URL": "http://me:s3cr3t@127.0.0.1:9/simple", "PASSBUILD_ON_MISSING": "error"}

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine", environ=secret)

    assert run.code == 0, run.stderr
    assert [name for name in run.seen["environ"] if "PASSBUILD_" in name] == ["_PASSBUILD_IMPORTS"]
    assert "s3cr3t" not in str(run.seen)
