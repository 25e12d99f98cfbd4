"""Settings: five sources, merged into one frozen value in which every value knows its origin."""
