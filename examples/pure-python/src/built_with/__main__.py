from built_with import RECORD

print(f"built with packaging {RECORD['version']} from {RECORD['location']}")  # noqa: T201 - its one job
