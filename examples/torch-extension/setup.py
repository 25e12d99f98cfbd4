from setuptools import setup
from torch.utils.cpp_extension import BuildExtension, CppExtension

setup(
    ext_modules=[CppExtension("torch_ops._C", ["torch_ops/ops.cpp"])],
    cmdclass={"build_ext": BuildExtension},
)
