import numpy as np
from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "array_ops._sum",
            ["src/array_ops/_sum.c"],
            include_dirs=[np.get_include()],
            define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_22_API_VERSION"), ("BUILT_WITH", f'"{np.__version__}"')],
        )
    ],
)
