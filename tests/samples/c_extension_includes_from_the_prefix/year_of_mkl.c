#include <Python.h>
#include <mkl_types.h>
#include <mkl_version.h>

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "year_of_mkl", NULL, -1, NULL};

PyMODINIT_FUNC PyInit_year_of_mkl(void) {
  PyObject *module = PyModule_Create(&definition);
  if (module != NULL) {
    PyModule_AddIntConstant(module, "YEAR", __INTEL_MKL__);
    PyModule_AddIntConstant(module, "INTEGER", sizeof(MKL_INT));
  }
  return module;
}
