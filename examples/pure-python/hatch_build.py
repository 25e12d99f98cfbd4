"""Write down, while the wheel is built, which `packaging` the build sees."""
# ruff: noqa: ARG002 - the interface is hatchling's

import json
from pathlib import Path

import packaging
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class RecordPackaging(BuildHookInterface):
    def initialize(self, version, build_data):
        record = {"version": packaging.__version__, "location": str(Path(packaging.__file__).parent)}
        file = Path(self.directory, "packaging.json")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(record), encoding="utf-8")
        build_data["force_include"][str(file)] = "built_with/packaging.json"

    def finalize(self, version, build_data, artifact_path):
        Path(self.directory, "packaging.json").unlink()
