"""The tests that take long, and what they found: ``python -m tests.soak``."""
