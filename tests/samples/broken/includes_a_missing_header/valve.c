#include <Python.h>
#include <valves/ball.h>

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "valve", NULL, -1, NULL};

PyMODINIT_FUNC PyInit_valve(void) { return PyModule_Create(&module); }
