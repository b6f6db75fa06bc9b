"""Installs nppnet_tf, its command lines and its flag files."""

import pathlib
import re

import setuptools

ROOT = pathlib.Path(__file__).parent


def version() -> str:
    """The version as it is written, without importing the package."""
    text = (ROOT / "nppnet_tf" / "__init__.py").read_text()
    return re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)[1]


def tools() -> list[str]:
    """Names of the modules of `tools` that are command lines."""
    return sorted(
        path.stem
        for path in (ROOT / "tools").glob("*.py")
        if "\ndef main() -> None:" in path.read_text()
    )


setuptools.setup(
    name="nppnet_tf",
    version=version(),
    description="Human parsing and pose estimation by architecture search",
    long_description=(ROOT / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.11,<3.14",
    # In the repository `tools` and `flags` stand at the top level; installed,
    # names as common as these belong to the package.
    package_dir={
        "nppnet_tf.tools": "tools",
        "nppnet_tf.tools.command_line": "tools/command_line",
        "nppnet_tf.tools.roads": "tools/roads",
        "nppnet_tf.flags": "flags",
        "nppnet_tf.savedmodels": "savedmodels",
    },
    packages=[
        *setuptools.find_packages(include=["nppnet_tf", "nppnet_tf.*"]),
        "nppnet_tf.tools",
        "nppnet_tf.tools.command_line",
        "nppnet_tf.tools.roads",
        "nppnet_tf.flags",
        "nppnet_tf.savedmodels",
    ],
    package_data={
        "nppnet_tf": [
            "**/*.css",
            "**/*.html",
            "**/*.js",
            "**/*.json",
            "**/*.mplstyle",
            "**/*.svg",
        ],
        "nppnet_tf.flags": ["**/*.txt", "**/*.md", "**/*.json"],
        # What TensorFlow Serving is started with; never a model.
        "nppnet_tf.savedmodels": ["serving/**/*.config", "serving/**/*.yaml"],
    },
    entry_points={
        "console_scripts": [
            f"nppnet-{tool}=nppnet_tf.tools.{tool}:main" for tool in tools()
        ]
    },
    install_requires=[
        "absl-py>=1.4,<3",
        "jinja2>=3.1,<4",
        "keras>=3.15.1,<4",
        "matplotlib>=3.10,<4",
        "numpy>=1.26,<3",
        "packaging>=22",
        "pillow>=10",
        "protobuf>=5.28",
        "scipy>=1.11,<2",
        "tensorboard>=2.20,<2.21",
        "tensorflow>=2.20,<2.21",
        "tqdm>=4.66,<5",
    ],
    extras_require={
        "beam": ["apache-beam>=2.77,<3"],
        "docs": ["mkdocs>=1.6,<2", "mkdocs-material>=9.6,<10"],
        "litert": ["ai-edge-litert>=2.1,<3"],
        "onnx": ["onnx>=1.18,<2", "onnxruntime>=1.20,<2"],
        "openvino": ["openvino>=2026.1"],
        "official": ["tf-models-official>=2.20,<2.21"],
        "profile": ["tensorboard-plugin-profile==2.22.1"],
        "released": ["opencv-python-headless>=4.10"],
        "serve": [
            "grpcio-health-checking>=1.66,<2",
            "httpx>=0.27,<1",
            "prometheus_client>=0.20,<1",
            "starlette>=1,<2",
            "tensorflow-serving-api>=2.20,<2.21",
            "uvicorn>=0.30,<1",
        ],
        "test": [
            "ai-edge-litert>=2.1,<3",
            "apache-beam>=2.77,<3",
            "av>=14,<19",
            "codespell",
            "grpcio-health-checking>=1.66,<2",
            "httpx>=0.27,<1",
            "jsonschema>=4.18,<5",
            "onnx>=1.18,<2",
            "onnxruntime>=1.20,<2",
            "opencv-python-headless>=4.10",
            "openvino>=2026.1",
            "playwright>=1.50,<2",
            "prometheus_client>=0.20,<1",
            "pytest",
            "pytest-xdist",
            "pyyaml>=6,<7",
            "ruff",
            "setuptools",
            "starlette>=1,<2",
            "tensorflow-serving-api>=2.20,<2.21",
            "uvicorn>=0.30,<1",
            "wheel",
        ],
        "torch": ["torch>=2.4"],
        "video": ["av>=14,<19"],
    },
)
