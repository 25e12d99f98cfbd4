#include <pybind11/pybind11.h>

PYBIND11_MODULE(tripled, module) {
  module.def("tripled", [](int value) { return 3 * value; });
}
