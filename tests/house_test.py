"""The house is as its plan says; checks what ruff cannot.

Each test names every offender, with what would be right.
"""

import ast
import importlib
import importlib.util
import inspect
import pathlib
import re
import subprocess
import sys
import textwrap

from absl.testing import absltest

from tests import build_file
from tests import shared

# Modules without a test file of their own, and why.
UNTESTED_MODULES = {
    "nppnet_tf/data/images.py": "data/tfrecord_test",
    "nppnet_tf/data/pipeline.py": "data/tfrecord_test",
    "nppnet_tf/data/drawn_labels.py": "data/readers/part_documents_test",
    "nppnet_tf/data/readers/labelme_documents.py": "readers/labelme_test",
    "nppnet_tf/serving/responses.py": "every answer of serving/server_test",
    "nppnet_tf/serving/web_page.py": "tests/user_paths/page_test.py",
    "tools/command_line/servers.py": "tests/user_paths/page_test.py",
    "tools/command_line/limit_flags.py": "tests/user_paths/serving_test.py",
    "nppnet_tf/benchmarks/checkpoint_import.py": "tools/benchmark_test",
    "nppnet_tf/benchmarks/flat_network.py": "edge_by_edge_test",
    "nppnet_tf/benchmarks/forward_pass.py": "tools/benchmark_test",
    "nppnet_tf/benchmarks/latency_table.py": "tools/benchmark_test",
    "nppnet_tf/benchmarks/measures.py": "tools/benchmark_test",
    "nppnet_tf/benchmarks/roofline.py": "tools/benchmark_test",
    "nppnet_tf/benchmarks/input_pipeline.py": "tools/benchmark_test",
    "nppnet_tf/benchmarks/reading.py": "tools/benchmark_test",
    "nppnet_tf/benchmarks/search_step.py": "its steps: training/search_test",
    "nppnet_tf/benchmarks/torch_losses.py": "torch_steps_test",
    "nppnet_tf/benchmarks/torch_network.py": "torch_steps_test",
    "nppnet_tf/benchmarks/torch_peer.py": "torch_steps_test",
    "nppnet_tf/benchmarks/train_step.py": "its steps: training/retrain_test",
    "nppnet_tf/machine_check/examination.py": "tools/doctor_test",
    "nppnet_tf/machine_check/finding.py": "fields only",
    "nppnet_tf/evaluation/model_evaluation.py": "tools/evaluate_test",
    "nppnet_tf/drawn_people/canvas.py": "painting: person_test",
    "nppnet_tf/data/people/cutting.py": "every way: pascal_test",
    "nppnet_tf/drawn_people/clothing.py": "as canvas",
    "nppnet_tf/drawn_people/figure.py": "as canvas",
    "nppnet_tf/drawn_people/head_painter.py": "as canvas",
    "nppnet_tf/drawn_people/limb_painter.py": "as canvas",
    "nppnet_tf/drawn_people/part_painter.py": "as canvas",
    "nppnet_tf/drawn_people/person_painter.py": "as canvas",
    "nppnet_tf/data/record.py": "fields only",
    "nppnet_tf/data/records/record_index.py": "record_set_test",
    "nppnet_tf/data/samples/input_worker.py": "input_workers_test",
    "nppnet_tf/data/samples/sources.py": "batches_test",
    "nppnet_tf/data/source.py": "tests/data/readers/datasets_test.py",
    "nppnet_tf/drawn_people/scenery.py": "as canvas",
    "nppnet_tf/drawn_people/trunk_painter.py": "as canvas",
    "nppnet_tf/keys.py": "names only",
    "nppnet_tf/layers/primitives/dilated_convolution.py": "table_test",
    "nppnet_tf/layers/primitives/max_pooling.py": "table_test",
    "nppnet_tf/layers/primitives/pooled_convolution.py": "table_test",
    "nppnet_tf/layers/primitives/skip_connection.py": "table_test",
    "nppnet_tf/layers/primitives/squeeze_excitation.py": "table_test",
    "nppnet_tf/layers/primitives/standard_convolution.py": "table_test",
    "nppnet_tf/layers/primitives/operation.py": "by every operation",
    "nppnet_tf/training/display.py": "run_test",
    "nppnet_tf/training/epochs.py": "run_test",
    "nppnet_tf/training/opening.py": "run_test",
    "nppnet_tf/training/supernets.py": "selecting_test, study/study_test",
    "nppnet_tf/strategies/skip_dropout.py": "perturbation_test",
    "nppnet_tf/layers/draws.py": "relaxations/drawn_test",
    "nppnet_tf/layers/relaxations/concrete.py": "drawn_test",
    "nppnet_tf/layers/relaxations/dirichlet.py": "drawn_test",
    "nppnet_tf/layers/relaxations/gumbel.py": "drawn_test",
    "nppnet_tf/layers/relaxations/reinmax.py": "drawn_test",
    "nppnet_tf/layers/relaxations/relaxation_layer.py": "by every relaxation",
    "nppnet_tf/bulk/answers.py": "pipeline_test",
    "nppnet_tf/bulk/inputs.py": "tools/bulk_predict_test",
    "nppnet_tf/bulk/job.py": "pipeline_test",
    "nppnet_tf/bulk/pictures.py": "pipeline_test",
    "nppnet_tf/bulk/places.py": "pipeline_test",
    "nppnet_tf/bulk/results.py": "pipeline_test",
    "nppnet_tf/bulk/runners.py": "pipeline_test",
    "nppnet_tf/evaluation/runtime_parity.py": "runtime_export_test",
    "nppnet_tf/runtimes/litert.py": "table_test",
    "nppnet_tf/runtimes/onnx.py": "table_test",
    "nppnet_tf/search_space/sources.py": "names only",
    "tools/command_line/console.py": "by every tool",
    "tools/command_line/flag_kinds.py": "tool_flags_test",
    "tools/command_line/help_text.py": "app_test",
    "tools/command_line/run_console.py": "search_test and train_test",
    "nppnet_tf/study/figures.py": "study/summary_test",
    "nppnet_tf/study/people.py": "study/study_test",
    "nppnet_tf/study/settings.py": "study/plan_test, study/study_test",
    "nppnet_tf/study/trainer.py": "study/study_test",
    "nppnet_tf/study/report.py": "study/study_test",
    "nppnet_tf/serving/access_log.py": "serving/server_test",
    "nppnet_tf/serving/answering.py": "serving/contract_test",
    "nppnet_tf/serving/load.py": "tests/tools/query_serving_test.py",
    "nppnet_tf/serving/remote_model.py": "tests/tools/query_serving_test.py",
    "tools/command_line/extras.py": "tests/tools/serve_test.py",
    "tools/command_line/server_flags.py": "tests/tools/query_serving_test.py",
    "nppnet_tf/serving/failures.py": "serving/contract_test",
    "nppnet_tf/serving/grpc_service.py": "serving/contract_test",
    "nppnet_tf/serving/limits.py": "serving/server_test",
    "nppnet_tf/serving/messages.py": "serving/contract_test",
    "nppnet_tf/serving/metrics.py": "serving/server_test",
    "nppnet_tf/serving/peer.py": "serving/contract_test",
    "nppnet_tf/serving/rest.py": "serving/contract_test",
    "nppnet_tf/serving/servable.py": "serving/contract_test",
    "nppnet_tf/serving/services.py": "serving/contract_test",
    "nppnet_tf/serving/token.py": "serving/server_test",
    "tools/command_line/dataset_flags.py": "flags of tools/build_records.py",
    "tools/command_line/runtime_flags.py": "flags of tools/export.py",
    "tools/command_line/description_flags.py": "likewise",
    "tools/command_line/worker_flags.py": "as dataset_flags",
    "nppnet_tf/inference/people_model.py": "tools/predict_test",
    "nppnet_tf/inference/picture_answer.py": "several_people_test",
    "nppnet_tf/outputs/coco_folder.py": "formats_test",
    "nppnet_tf/outputs/labelme_files.py": "formats_test",
    "nppnet_tf/outputs/lip_folder.py": "formats_test",
    "nppnet_tf/outputs/openpose_files.py": "formats_test",
    "nppnet_tf/outputs/openpose_picture.py": "formats_test",
    "nppnet_tf/outputs/own_files.py": "picture_run_test",
    "nppnet_tf/outputs/people_map.py": "picture_run_test",
    "nppnet_tf/outputs/single_people.py": "formats_test",
    "nppnet_tf/outputs/tryon_folder.py": "formats_test",
    "nppnet_tf/outputs/tryon_masks.py": "formats_test",
    "nppnet_tf/outputs/writer.py": "fields only",
    "tools/command_line/coco_flag.py": "tools/predict_test",
    "tools/command_line/people_flags.py": "tools/predict_test",
    "tools/command_line/video_flags.py": "tools/predict_test",
    "tools/roads/demo_settings.py": "demo_road_test",
}

# Tests that stand for no single module, and why.
TESTS_OF_NO_MODULE = {
    "tests/addons_test.py": "what stands in for tensorflow-addons",
    "tests/cluster_files_test.py": "docs/cluster",
    "tests/dependencies_test.py": "docs/dependencies.md",
    "tests/docs_test.py": "README and docs/",
    "tests/flags_test.py": "flag files",
    "tests/forked_tools_test.py": "how tests start tools",
    "tests/quick_tensorflow_test.py": "what tests leave out",
    "tests/house_test.py": "the whole repository",
    "tests/layers/conformance_test.py": "every layer",
    "tests/importing/training_step_test.py": "layers, losses and key map",
    "tests/schemas_test.py": "docs/schemas",
    "tests/serving/configuration_files_test.py": "savedmodels/serving",
    "tests/set_up_test.py": "make and its script",
    "tests/shared_test.py": "what tests share",
    "tests/training/precision_test.py": "steps of both models in bfloat16",
    "tests/training/another_task_test.py": "docs/another_task.md",
    "tests/training/real_pictures_test.py": "the road from files to a loss",
    "tests/training/replicas_test.py": "network, losses and strategy",
    "tests/unused_names_test.py": "every module of the package",
    "tests/wheel_test.py": "setup.py",
    "tests/written_before_test.py": "what older versions wrote",
    "tests/workflow_test.py": "continuous integration",
}

# What only some packages may import, besides our own packages.
ONLY_IN = {
    "av": ("nppnet_tf/video/video_file.py", "tests/"),
    "cv2": ("nppnet_tf/data/samples/released_sampling.py",),
    "absl.flags": ("tools/", "tests/"),
    "jinja2": ("nppnet_tf/reports/page.py",),
    "matplotlib": (
        "nppnet_tf/drawing/figures.py",
        "nppnet_tf/drawing/line_chart.py",
        "nppnet_tf/drawing/scene.py",
        "nppnet_tf/drawing/search_history.py",
        "nppnet_tf/study/figures.py",
        "tests/",
    ),
    # Of state that is the whole process's: figures are made without it.
    "matplotlib.pyplot": (),
    "apache_beam": ("nppnet_tf/bulk/",),
    "ai_edge_litert": ("nppnet_tf/runtimes/litert.py",),
    "onnx": (
        "nppnet_tf/form/onnx_model.py",
        "nppnet_tf/runtimes/onnx.py",
        "tests/form/",
    ),
    "onnxruntime": (
        "nppnet_tf/runtimes/onnx.py",
        "tests/form/",
    ),
    "openvino": ("nppnet_tf/runtimes/openvino.py",),
    "tensorflow_serving": ("nppnet_tf/serving/", "tests/"),
    "torch": (
        "nppnet_tf/benchmarks/torch_losses.py",
        "nppnet_tf/benchmarks/torch_network.py",
        "nppnet_tf/benchmarks/torch_peer.py",
        "nppnet_tf/benchmarks/torch_steps.py",
        "tests/benchmarks/torch_steps_test.py",
    ),
    "tqdm": ("tools/command_line/progress.py",),
    "official": ("tests/tools/detect_people_test.py",),
    "tensorflow_addons": (),
    "tf_keras": ("tests/tools/detect_people_test.py",),
}

# What a command shares is in tools/command_line, and what it does in the room
# of the library that it belongs to.
MOST_TOOL_LINES = 200

# Packages that are plain Python and NumPy.
WITHOUT_TENSORFLOW = ("base", "search_space", "descriptors")

# Classes that no one revives from a configuration, and why.
WITHOUT_CONFIG = {
    "JointModel": "takes a network and its losses; checkpoints hold its state",
    "RetrainModel": "as JointModel",
    "SearchModel": "as JointModel",
}


# Functions of more than 60 lines without their docstring, and why.
LONG_FUNCTIONS = {
    "nppnet_tf/drawn_people/scenery.py: paint_obstacle": "a list of things",
    "tools/command_line/dataset_flags.py: __init__": "a list of flags",
}

# Functions of more than 7 arguments, and why.
MANY_ARGUMENTS = {
    "nppnet_tf/training/run.py: search": "all that a search is",
    "nppnet_tf/inference/export.py: export_saved_model": (
        "all that a version of a model is"
    ),
    "nppnet_tf/data/records/record_writer.py: write_records": (
        "all that a folder of records says of itself"
    ),
}


class ImportTest(absltest.TestCase):
    """Who imports whom, against `deps` in BUILD."""

    def setUp(self):
        super().setUp()
        self.targets = build_file.read_targets()
        self.library_of = {
            source: target.name
            for target in self.targets.values()
            if target.kind == "py_library"
            for source in target.sources
        }

    def test_every_source_is_in_exactly_one_library(self):
        sources = build_file.python_files("nppnet_tf", "tools", "tests")
        tests = set(build_file.test_files())
        stated = [
            source
            for target in self.targets.values()
            if target.kind == "py_library"
            for source in target.sources
        ]
        expected = [
            source
            for source in sources
            if source not in tests and not source.startswith("tools/bazel/")
        ]

        self.assertCountEqual(stated, expected)

    def test_imports_are_the_stated_dependencies(self):
        for target in self.targets.values():
            # Tests may import every library.
            if target.kind != "py_library" or target.name == "testing":
                continue
            used = self._imported_libraries(target)
            with self.subTest(target.name):
                self.assertCountEqual(
                    target.dependencies,
                    used,
                    f"BUILD's deps of {target.name} (first) and what its "
                    f"sources import (second): {self._evidence(target)}",
                )

    def test_tests_depend_on_every_library(self):
        libraries = set(self.library_of.values()) - {"testing"}

        self.assertCountEqual(self.targets["testing"].dependencies, libraries)

    def test_dependencies_have_no_cycle(self):
        finished = set()

        def visit(name, path):
            self.assertNotIn(name, path, f"cycle: {path}")
            if name not in finished:
                for dependency in self.targets[name].dependencies:
                    visit(dependency, [*path, name])
                finished.add(name)

        for name in self.targets:
            visit(name, [])

    def test_nothing_imports_the_tools(self):
        offenders = [
            target.name
            for target in self.targets.values()
            if target.kind == "py_library" and "tools" in target.dependencies
        ]

        self.assertEqual(offenders, ["testing"])

    def test_training_and_inference_do_not_know_each_other(self):
        self.assertNotIn("inference", self._reachable("training"))
        self.assertNoCommonElements(
            {"training", "losses"}, self._reachable("inference")
        )

    def test_plain_packages_import_no_tensorflow(self):
        offenders = [
            f"{source} imports {module}"
            for name in WITHOUT_TENSORFLOW
            for source in self.targets[name].sources
            for module in build_file.imported_modules(source)
            if module.split(".")[0] in ("tensorflow", "keras")
        ]

        self.assertEmpty(offenders)

    def test_some_libraries_are_imported_in_some_places_only(self):
        offenders = [
            f"{source} imports {module}"
            for source in self.library_of
            for module in build_file.imported_modules(source)
            for library, places in ONLY_IN.items()
            if f"{module}.".startswith(f"{library}.")
            and not source.startswith(places)
        ]

        self.assertEmpty(offenders)

    def test_sources_outside_the_tests_import_what_setup_py_requires(self):
        required = {
            "absl",
            "google",  # protobuf
            "jinja2",
            "keras",
            "matplotlib",
            "numpy",
            "packaging",
            "onnx",  # Of the extra `onnx`; see ONLY_IN.
            "onnxruntime",  # Likewise.
            "openvino",  # Of the extra `openvino`.
            "ai_edge_litert",  # Of the extra `litert`.
            "apache_beam",  # Of the extra `beam`.
            "av",  # Of the extra `video`.
            "grpc",  # Of the extra `serve`, as the next six.
            "grpc_health",
            "httpx",
            "prometheus_client",
            "starlette",
            "tensorflow_serving",
            "uvicorn",
            "PIL",
            "scipy",
            "cv2",  # Of the extra `released`; see ONLY_IN.
            "tensorboard",
            "tensorflow",
            "torch",  # Of the extra `torch`; see ONLY_IN.
            "tqdm",
        }
        offenders = [
            f"{source} imports {module}"
            for source in self.library_of
            if not source.startswith("tests/")
            for module in build_file.imported_modules(source)
            if module.split(".")[0] not in required | {"nppnet_tf", "tools"}
            and not _is_standard(module)
        ]

        self.assertEmpty(offenders)

    def _imported_libraries(self, target):
        return {
            self.library_of[file]
            for source in target.sources
            for file in build_file.imported_files(source)
            if self.library_of.get(file, target.name) != target.name
        }

    def _evidence(self, target):
        stated = set(target.dependencies)
        return [
            f"{source} imports {file}"
            for source in target.sources
            for file in sorted(build_file.imported_files(source))
            if self.library_of.get(file, target.name)
            not in stated | {target.name}
        ]

    def _reachable(self, name):
        found = set()
        waiting = [name]
        while waiting:
            for dependency in self.targets[waiting.pop()].dependencies:
                if dependency not in found:
                    found.add(dependency)
                    waiting.append(dependency)
        return found


class BuildFileTest(absltest.TestCase):
    def test_every_tool_has_a_binary_and_every_test_a_rule(self):
        targets = build_file.read_targets()
        kinds = {name: target.kind for name, target in targets.items()}

        for name in build_file.tool_names():
            self.assertEqual(kinds[name], "py_binary")
        for path in build_file.test_files():
            self.assertEqual(kinds[path.removesuffix(".py")], "py_test")

    def test_every_test_ends_in_absltest_main(self):
        # Bazel runs the file: without this line it would pass unseen.
        offenders = [
            path
            for path in build_file.test_files()
            if not _text(path).endswith(
                'if __name__ == "__main__":\n    absltest.main()\n'
            )
        ]

        self.assertEmpty(offenders)

    def test_versions_agree(self):
        package = re.search(
            r'__version__ = "(.+)"', _text("nppnet_tf/__init__.py")
        )
        module = re.search(r'version = "(.+?)"', _text("MODULE.bazel"))

        self.assertEqual(package[1], module[1])


class SizeTest(absltest.TestCase):
    def test_commands_are_short(self):
        # What is longer does more than read flags and call a library.
        lengths = {
            f"tools/{name}.py": len(_text(f"tools/{name}.py").splitlines())
            for name in build_file.tool_names()
        }

        self.assertEmpty(
            {path: n for path, n in lengths.items() if n > MOST_TOOL_LINES}
        )


class MirrorTest(absltest.TestCase):
    def test_every_module_has_its_test_file(self):
        missing = [
            f"{source}: no {_test_of(source)}"
            for source in self._modules()
            if source not in UNTESTED_MODULES
            and not (shared.REPOSITORY / _test_of(source)).is_file()
        ]

        self.assertEmpty(missing)

    def test_every_test_file_has_its_module(self):
        expected = {_test_of(source) for source in self._modules()}
        strangers = [
            path
            for path in build_file.test_files()
            if path not in expected
            and path not in TESTS_OF_NO_MODULE
            # What a user does takes many modules.
            and not path.startswith("tests/user_paths/")
        ]

        self.assertEmpty(strangers)

    def test_exceptions_are_still_needed(self):
        stale = [
            source
            for source in UNTESTED_MODULES
            if not (shared.REPOSITORY / source).is_file()
            or (shared.REPOSITORY / _test_of(source)).is_file()
        ]
        stale += [
            path
            for path in TESTS_OF_NO_MODULE
            if not (shared.REPOSITORY / path).is_file()
        ]

        self.assertEmpty(stale)

    def test_no_test_file_escapes_collection(self):
        # pytest takes *_test.py; a file *_tests.py or test_*.py would rest.
        offenders = [
            path
            for path in build_file.python_files("tests")
            if re.search(r"(_tests|/test_\w+(?<!_test))\.py$", path)
        ]

        self.assertEmpty(offenders)

    def test_every_folder_of_tests_is_a_package(self):
        folders = {path.rpartition("/")[0] for path in build_file.test_files()}
        missing = [
            folder
            for folder in sorted(folders)
            if not (shared.REPOSITORY / folder / "__init__.py").is_file()
        ]

        self.assertEmpty(missing)

    def _modules(self):
        return [
            source
            for source in build_file.python_files("nppnet_tf", "tools")
            if not source.endswith("/__init__.py")
        ]


class FunctionTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.functions = [
            (f"{path}: {node.name}", node)
            for path in build_file.python_files("nppnet_tf", "tools")
            for node in ast.walk(build_file.syntax_tree(path))
            if isinstance(node, ast.FunctionDef)
        ]

    def test_functions_have_at_most_60_lines_without_their_docstring(self):
        found = {
            place for place, node in self.functions if _num_lines(node) > 60
        }

        self.assertCountEqual(found, LONG_FUNCTIONS)

    def test_functions_take_at_most_7_arguments(self):
        found = {
            place for place, node in self.functions if _num_arguments(node) > 7
        }

        self.assertCountEqual(found, MANY_ARGUMENTS)


class PackageTest(absltest.TestCase):
    def test_every_package_says_what_it_is_for_in_a_few_sentences(self):
        offenders = []
        for path in build_file.python_files("nppnet_tf", "tools"):
            if path.endswith("/__init__.py"):
                words = ast.get_docstring(build_file.syntax_tree(path)) or ""
                sentences = re.findall(r"[.?!](?=\s|$)", words)
                if not 2 <= len(sentences) <= 5:
                    offenders.append(f"{path}: {len(sentences)} sentences")

        self.assertEmpty(offenders)


class PromiseTest(absltest.TestCase):
    """Every row of docs/promises.md: the words stand, the test is there."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rows = re.findall(
            r'^\| "(.+)" \| (\S+) \| (.+) \|$',
            _text("docs/promises.md"),
            re.MULTILINE,
        )

    def test_the_page_holds_rows_and_nothing_that_looks_like_one(self):
        lines = _text("docs/promises.md").splitlines()
        rows = [line for line in lines if line.startswith("| ")]

        self.assertNotEmpty(self.rows)
        # One more for the head of each table.
        heads = sum(line.startswith("| promise ") for line in lines)
        self.assertLen(rows, len(self.rows) + heads)

    def test_the_words_stand_in_the_document(self):
        for words, document, _ in self.rows:
            with self.subTest(words):
                self.assertIn(_flat(words), _flat(_text(document)))

    def test_the_tests_are_there(self):
        missing = [
            f"{words}: {reference}"
            for words, _, tests in self.rows
            for reference in tests.split(", ")
            if not build_file.is_test(reference)
        ]

        self.assertEmpty(missing)

    def test_what_users_do_is_listed(self):
        stated = {
            reference.partition("::")[0]
            for _, _, tests in self.rows
            for reference in tests.split(", ")
        }
        unlisted = [
            path
            for path in build_file.test_files()
            if path.startswith("tests/user_paths/")
            and path != "tests/user_paths/user_path_test.py"
            and path not in stated
        ]

        self.assertEmpty(unlisted)


class KerasObjectTest(absltest.TestCase):
    """Layers, losses and metrics can be saved and revived."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.classes = [
            found
            for found in _keras_classes()
            if not found.__name__.startswith("_")
            and found.__name__ not in WITHOUT_CONFIG
        ]

    def test_they_are_registered_under_the_package(self):
        import keras

        offenders = [
            f"{_place(found)} is registered as "
            f"{keras.saving.get_registered_name(found)}"
            for found in self.classes
            if keras.saving.get_registered_name(found)
            != f"nppnet_tf>{found.__name__}"
        ]

        self.assertEmpty(offenders)

    def test_their_config_holds_the_arguments_of_the_constructor(self):
        offenders = []
        for found in self.classes:
            arguments = _arguments(found.__init__) - {"name", "dtype"}
            keys = _config_keys(found)
            if arguments != keys:
                offenders.append(
                    f"{_place(found)}: not in the config "
                    f"{sorted(arguments - keys)}, no argument of the "
                    f"constructor {sorted(keys - arguments)}"
                )

        self.assertEmpty(offenders)

    def test_exceptions_are_still_needed(self):
        names = {found.__name__ for found in _keras_classes()}

        self.assertContainsSubset(set(WITHOUT_CONFIG), names)


class WordTest(absltest.TestCase):
    def test_no_file_names_a_machine(self):
        # In two pieces, so that this file does not name them.
        words = ["/" + "work/", "/" + "root/", "/" + "home/", "py" + "pi.org"]
        self.assertEmpty(self._lines_with(words))

    def test_no_file_holds_unfinished_work(self):
        words = [
            "TO" + "DO",
            "FIX" + "ME",
            "XX" + "X",
            "NotImplemented" + "Error",
        ]
        self.assertEmpty(self._lines_with(words))

    def test_spelling_is_american(self):
        # In pieces, so that this file does not hold them.
        words = ["colo" + "ur", "cent" + "re", "gr" + "ey", "neighbo" + "ur"]
        words += ["behav" + "iour", "normali" + "s", "label" + "led"]
        words += ["initiali" + "s", "synchroni" + "s", "randomi" + "se"]
        offenders = [
            line
            for line in self._lines_with(words)
            # A name that saved settings have.
            if "centre_jitter" not in line
            and not line.startswith(("CHANGELOG.md", "constraints.txt"))
        ]

        self.assertEmpty(offenders)

    def test_what_is_said_of_an_argument_has_its_noun(self):
        # "recorder: Of the run." leaves a reader to guess what of it.
        line = re.compile(r"\s+\**\w+: (Of|Its|By|As|They|In|To|With) ")
        offenders = [
            f"{path}:{number}: {text.strip()}"
            for path in build_file.python_files("nppnet_tf", "tools", "tests")
            for number, text in enumerate(_text(path).splitlines(), 1)
            if line.match(text)
        ]

        self.assertEmpty(offenders)

    def test_no_file_is_a_drawer(self):
        names = {"utils", "util", "helpers", "misc", "common"}
        offenders = [
            path
            for path in build_file.python_files("nppnet_tf", "tools", "tests")
            if pathlib.PurePath(path).stem.removesuffix("_test") in names
        ]

        self.assertEmpty(offenders)

    def test_no_file_is_large(self):
        offenders = [
            path
            for path in _repository_files()
            if (shared.REPOSITORY / path).stat().st_size > 1_000_000
        ]

        self.assertEmpty(offenders)

    def test_files_of_json_are_read_by_the_room_of_files(self):
        # Size, encoding, depth and doubled names are looked at there alone.
        reading = re.compile(r"json\.loads?\([^\n]*(read|open)")
        offenders = [
            f"{path}: {found.group()}"
            for path in build_file.python_files("nppnet_tf", "tools")
            if "benchmarks" not in str(path)
            for found in reading.finditer(_text(path))
        ]

        self.assertEmpty(offenders)

    def _lines_with(self, words):
        found = []
        for path in _repository_files():
            try:
                lines = _text(path).splitlines()
            except UnicodeDecodeError:
                continue
            found += [
                f"{path}:{number}: {line.strip()[:80]}"
                for number, line in enumerate(lines, 1)
                if any(word in line for word in words)
            ]
        return found


def _text(path):
    return (shared.REPOSITORY / path).read_text()


def _num_lines(function):
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is None:
        return lines
    docstring = function.body[0]
    return lines - (docstring.end_lineno - docstring.lineno + 1)


def _num_arguments(function):
    arguments = function.args
    every = arguments.posonlyargs + arguments.args + arguments.kwonlyargs
    return sum(argument.arg not in ("self", "cls") for argument in every)


def _flat(text):
    """A text in one line, without the marks of Markdown."""
    return " ".join(text.replace("`", "").replace("*", "").split())


def _test_of(source):
    inside = source.removeprefix("nppnet_tf/")
    return f"tests/{inside.removesuffix('.py')}_test.py"


def _is_standard(module):
    return module.split(".")[0] in sys.stdlib_module_names


def _repository_files():
    """The files that git tracks, or all that are known where git is absent."""
    if (shared.REPOSITORY / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files"],
            cwd=shared.REPOSITORY,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
    else:
        listed = build_file.python_files("nppnet_tf", "tools", "tests")
    return [path for path in listed if (shared.REPOSITORY / path).is_file()]


def _keras_classes():
    import keras

    kinds = (
        keras.layers.Layer,
        keras.losses.Loss,
        keras.metrics.Metric,
        keras.optimizers.Optimizer,
        keras.optimizers.schedules.LearningRateSchedule,
    )
    absent = () if importlib.util.find_spec("torch") else ONLY_IN["torch"]
    for source in build_file.python_files("nppnet_tf"):
        if source in absent:
            continue
        name = source.removesuffix(".py").replace("/", ".")
        module = importlib.import_module(name.removesuffix(".__init__"))
        for found in vars(module).values():
            if (
                inspect.isclass(found)
                and issubclass(found, kinds)
                and found.__module__ == module.__name__
            ):
                yield found


def _place(found):
    return f"{found.__module__}.{found.__name__}"


def _arguments(function):
    parameters = list(inspect.signature(function).parameters.values())
    return {
        parameter.name
        for parameter in parameters
        if parameter.kind
        not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
        and parameter.name != "self"
    }


def _config_keys(found):
    """String keys in the dictionaries that `get_config` writes.

    Where it merges into that of a base, so are the keys of the base; the keys
    of a base in Keras are the arguments of that base that are taken here too.
    """
    keys = set()
    for base in found.__mro__:
        function = vars(base).get("get_config")
        if function is None:
            continue
        if not base.__module__.startswith("nppnet_tf"):
            keys |= _arguments(base.__init__) & _arguments(found.__init__)
            break
        source = textwrap.dedent(inspect.getsource(function))
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Dict):
                keys |= {
                    key.value
                    for key in node.keys
                    if isinstance(key, ast.Constant)
                }
        if "super().get_config()" not in source:
            break
    return keys - {"name", "dtype"}


if __name__ == "__main__":
    absltest.main()
