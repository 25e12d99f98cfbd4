"""Operators on torch tensors, written in C++."""

import torch  # noqa: F401 - its libraries have to be loaded before the extension's

from torch_ops._C import scaled_sum

__all__ = ["scaled_sum"]
