# cython: language_level=3
cimport numpy as cnp

cnp.import_array()


def total(cnp.ndarray[cnp.float64_t, ndim=1] values):
    cdef double result = 0
    cdef Py_ssize_t index
    for index in range(values.shape[0]):
        result += values[index]
    return result
