#include <pybind11/pybind11.h>

#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#include <numpy/arrayobject.h>

static double summed(pybind11::object values) {
  PyArrayObject *array = reinterpret_cast<PyArrayObject *>(values.ptr());
  const double *data = static_cast<const double *>(PyArray_DATA(array));
  double result = 0;
  for (npy_intp index = 0; index < PyArray_SIZE(array); ++index) result += data[index];
  return result;
}

PYBIND11_MODULE(summed, module) {
  if (_import_array() < 0) throw pybind11::error_already_set();
  module.def("summed", &summed);
}
