#include <Python.h>

int of_the_library(void);

static int filled(PyObject *module) { return PyModule_AddIntConstant(module, "VALUE", of_the_library()); }

static PyModuleDef_Slot slots[] = {{Py_mod_exec, filled}, {0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "linked", NULL, 0, NULL, slots};

PyMODINIT_FUNC PyInit_single(void) { return PyModuleDef_Init(&definition); }
PyMODINIT_FUNC PyInit_part(void) { return PyModuleDef_Init(&definition); }
