# cython: language_level=3


def squared(double value):
    return value * value
