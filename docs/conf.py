"""Sphinx configuration: ``make docs``."""

project = "passbuild"
author = "The passbuild developers"
copyright = "The passbuild developers"
html_title = "passbuild"
html_theme = "furo"
html_favicon = "pictures/favicon.svg"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_click"]
exclude_patterns = ["_build"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4

smartquotes = False  # options and names are typed as they stand
default_role = "code"  # docstrings write `names` in single backticks
autodoc_type_aliases = {"Json": "Json"}
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True

# Types of the standard library and of packages whose docs are not part of these: an inventory would need the network.
nitpick_ignore_regex = [(r"py:.*", r"(?!passbuild\.).*")]
