#include <Python.h>
#include <nvml.h>

#if __has_include(<CL/cl.h>)
#define OPENCL_IS_FOUND 1
#else
#define OPENCL_IS_FOUND 0
#endif

__global__ void doubled(int *values) { values[threadIdx.x] *= 2; }

static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "on_device", nullptr, -1, nullptr};

PyMODINIT_FUNC PyInit_on_device() {
  PyObject *module = PyModule_Create(&definition);
  if (module == nullptr) return nullptr;
  PyModule_AddIntConstant(module, "nvml_api", NVML_API_VERSION);
  PyModule_AddIntConstant(module, "opencl_is_found", OPENCL_IS_FOUND);
  return module;
}
