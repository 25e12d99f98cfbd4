"""Which `packaging` this wheel was built with."""

import json
from importlib.resources import files

RECORD = json.loads((files(__package__) / "packaging.json").read_text(encoding="utf-8"))
