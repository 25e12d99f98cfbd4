"""The tests of passbuild."""
