#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <numpy/arrayobject.h>

/* total(values): the sum of anything that numpy can turn into an array of doubles. */
static PyObject *total(PyObject *module, PyObject *values) {
  PyArrayObject *array = (PyArrayObject *)PyArray_FROM_OTF(values, NPY_DOUBLE, NPY_ARRAY_IN_ARRAY);
  if (array == NULL) {
    return NULL;
  }
  const double *item = (const double *)PyArray_DATA(array);
  const npy_intp count = PyArray_SIZE(array);
  double sum = 0.0;
  for (npy_intp i = 0; i < count; i++) {
    sum += item[i];
  }
  Py_DECREF(array);
  return PyFloat_FromDouble(sum);
}

static PyMethodDef methods[] = {
    {"total", total, METH_O, "total(values): the sum of all elements, as a float."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_sum", "Sums over numpy arrays.", -1, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__sum(void) {
  import_array();
  PyObject *module = PyModule_Create(&definition);
  /* BUILT_WITH is the version of the numpy whose headers this file was compiled with; setup.py sets it. */
  if (module != NULL && PyModule_AddStringConstant(module, "built_with", BUILT_WITH) < 0) {
    Py_DECREF(module);
    return NULL;
  }
  return module;
}
