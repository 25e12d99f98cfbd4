"""The host: which interpreter it is, and what is installed there. It is read, never written."""
