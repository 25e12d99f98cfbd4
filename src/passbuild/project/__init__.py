"""The project: a folder or an sdist archive, turned into a source tree and what its pyproject.toml states."""
