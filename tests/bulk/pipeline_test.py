"""Tests of the bulk pipeline, from lists to shards; and of its parts."""

import base64
import json
import pathlib
import re
import tempfile

import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.bulk import answers
from nppnet_tf.bulk import job
from nppnet_tf.bulk import pictures
from nppnet_tf.bulk import pipeline
from nppnet_tf.bulk import results
from nppnet_tf.bulk import runners
from nppnet_tf.data.records import example
from nppnet_tf.errors import UserError
from nppnet_tf.evaluation import prediction_files
from nppnet_tf.pictures import picture_files
from tests import shared
from tests.data import sample_records
from tests.inference import stand_in
from tests.runtimes import toy_form


class PipelineTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = pathlib.Path(
            cls.enterClassContext(tempfile.TemporaryDirectory())
        )
        file = toy_form.write(cls.folder / "model", "onnx")
        cls.model = job.Model(str(file))
        cls.sources = []
        for number in range(5):
            path = cls.folder / f"{number}.png"
            # Of several sizes, in one batch.
            picture = stand_in.picture(20 + 9 * number, 30, number)
            path.write_bytes(picture_files.encode_png(picture))
            cls.sources.append(str(path))
        (cls.folder / "bad.jpg").write_bytes(b"no picture")
        cls.sources.insert(2, str(cls.folder / "bad.jpg"))
        cls.sources.append(str(cls.folder / "absent.jpg"))

    def setUp(self):
        super().setUp()
        self.output = str(self.create_tempdir().full_path)

    def _run(self, shards, results_format="json", at_once=0):
        work = pipeline.Job(self.model, self.output, results_format)
        options = runners.options(runners.DIRECT, "", 1)
        return list(pipeline.run(shards, work, options, at_once))

    def _shards(self):
        job.list_pictures(self.output, self.sources)
        return job.shards_of_list(self.output, 3)

    def _files(self):
        folder = pathlib.Path(self.output)
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }

    def test_answers_are_those_of_predict_to_the_bit(self):
        shards = self._shards()
        self.assertLen(shards, 3)

        self.assertEqual(self._run(shards, at_once=2), shards)

        files = self._files()
        lines = b"".join(
            files[f"predictions-{shard.name}.jsonl"] for shard in shards
        ).splitlines()
        predictor = answers.load(self.model)
        good = [path for path in self.sources if path.endswith(".png")]
        for source, line in zip(good, lines, strict=True):
            found, expected = json.loads(line), predictor.predict_file(source)
            document = prediction_files.prediction_document(
                expected.label_map,
                expected.keypoints_xy,
                expected.scores,
                pathlib.Path(source).name,
                predictor.descriptor,
                predictor.description.score_threshold,
            )
            self.assertEqual(found["source"], source)
            self.assertEqual(found["prediction"], document)
            png = prediction_files.label_map_png(
                expected.label_map, predictor.descriptor
            )
            self.assertEqual(base64.b64decode(found["label_map_png"]), png)
        self.assertEqual(
            job.totals(self.output, shards),
            {"pictures": 5, "dead_letters": 2},
        )
        (bad,) = files[f"dead_letters-{shards[0].name}.jsonl"].splitlines()
        self.assertIn("neither JPEG nor PNG", json.loads(bad)["error"])
        (absent,) = files[f"dead_letters-{shards[2].name}.jsonl"].splitlines()
        self.assertEqual(json.loads(absent)["source"], self.sources[-1])
        self.assertNotIn("predictions-00003", str(files))

    def test_a_shard_holds_the_same_whatever_runs_beside_it(self):
        shards = self._shards()
        self._run(shards)
        whole = self._files()
        (
            pathlib.Path(self.output) / f"predictions-{shards[1].name}.jsonl"
        ).unlink()
        pathlib.Path(job.done_file(self.output, shards[1].name)).unlink()

        left = job.to_do(self.output, shards)
        self._run(left)

        self.assertEqual(left, shards[1:2])
        self.assertEqual(self._files(), whole)

    def test_records_become_examples(self):
        path = self.folder / "pictures.tfrecord"
        records = sample_records.make_records(2)
        with tf.io.TFRecordWriter(str(path)) as writer:
            for record in records:
                writer.write(example.to_example(record))
            writer.write(b"no example")
        with open(path, "ab") as file:
            file.write(9 * b"cut short")
        shards = job.shards_of_records([str(self.folder / "*.tfrecord")])

        self._run(shards, "tfrecord")

        (shard,) = shards
        name = f"{self.output}/predictions-{shard.name}.tfrecord"
        found = [
            tf.train.Example.FromString(serialized.numpy()).features.feature
            for serialized in tf.data.TFRecordDataset(name)
        ]
        self.assertLen(found, 2)
        for feature, record in zip(found, records, strict=True):
            document = json.loads(feature["prediction"].bytes_list.value[0])
            self.assertEqual(document["image"], record.record_id)
        dead = self._files()[f"dead_letters-{shard.name}.jsonl"].splitlines()
        self.assertLen(dead, 2)
        self.assertIn("damaged from here on", json.loads(dead[1])["error"])

    def test_pictures_of_one_name_have_files_of_their_own(self):
        same = [
            answers.Answer(number, f"/{number}/a.jpg", "{}", b"png")
            for number in (7, 12)
        ]

        results.write_shard(self.output, "00000-of-00001", "png", same)

        folder = pathlib.Path(self.output) / "predictions-00000-of-00001"
        self.assertCountEqual(
            [path.name for path in folder.iterdir()],
            [f"{n:09d}-a.{end}" for n in (7, 12) for end in ("png", "json")],
        )

    def test_a_folder_takes_one_job(self):
        shards = self._shards()
        settings = job.settings_of(self.model, "json")
        job.begin(self.output, settings, shards)
        job.begin(self.output, settings, shards)

        with self.assertRaisesRegex(UserError, "another job.*results json"):
            job.begin(self.output, settings | {"results": "png"}, shards)
        with self.assertRaisesRegex(UserError, "inputs have changed"):
            job.list_pictures(self.output, self.sources[1:])
        with self.assertRaisesRegex(UserError, "no pictures"):
            job.list_pictures(self.output, [])

    def test_a_picture_that_is_not_read_says_why(self):
        shard = self._shards()[2]

        (lost,) = pictures.of_shard(shard)

        self.assertEqual((lost.number, lost.data), (6, b""))
        self.assertIn("cannot be read", lost.error)


class RunnersTest(parameterized.TestCase):
    @parameterized.parameters(
        ("direct", "--direct_num_workers=2", "direct_num_workers", 2),
        ("flink", "--flink_master=host:8081", "flink_master", "host:8081"),
        ("spark", "--spark_master_url=x", "spark_master_url", "x"),
        ("dataflow", "--region=europe-west4", "region", "europe-west4"),
    )
    def test_options_reach_their_runner(self, runner, given, name, value):
        options = runners.options(runner, given, 1).get_all_options()

        self.assertEqual(options[name], value)
        self.assertEqual(options["runner"], runners.RUNNERS[runner])

    def test_the_options_of_the_page_are_known(self):
        text = (shared.REPOSITORY / "docs/bulk.md").read_text()
        found = re.findall(
            r"--runner=(\w+) \\\n +--pipeline_options='(.+)'", text
        )

        self.assertEqual(
            [runner for runner, _ in found], ["flink", "spark", "dataflow"]
        )
        for runner, given in found:
            runners.options(runner, given, 1)

    @parameterized.parameters(
        ("direct", "--direct_num_workers=two", 1, "invalid int value"),
        ("flink", "--flink_mister=host", 1, "--flink_mister"),
        ("spark", "--spark_master_url='x", 1, "No closing quotation"),
        ("spark", "", 2, "options for workers"),
    )
    def test_wrong_ones_are_one_line(self, runner, given, workers, message):
        with self.assertRaisesRegex(UserError, message):
            runners.options(runner, given, workers)


if __name__ == "__main__":
    absltest.main()
