"""The build environment: created, filled by an installer, given the view of the host's packages, and then sealed."""
