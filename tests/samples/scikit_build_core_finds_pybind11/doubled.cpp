#include <pybind11/pybind11.h>

#define AS_TEXT_(x) #x
#define AS_TEXT(x) AS_TEXT_(x)

PYBIND11_MODULE(doubled, module) {
  module.def("doubled", [](int value) { return 2 * value; });
  module.attr("compiled_with") = AS_TEXT(PYBIND11_VERSION_MAJOR) "." AS_TEXT(PYBIND11_VERSION_MINOR);
}
