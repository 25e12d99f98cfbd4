"""Measure passbuild beside other build frontends, and write the page that says how it did.

``python -m benchmarks`` runs everything; benchmarks/README.md tells more.
"""
