from setuptools import setup
from torch.utils.cpp_extension import BuildExtension, CppExtension

setup(ext_modules=[CppExtension("pump", ["pump.cpp"])], cmdclass={"build_ext": BuildExtension})
