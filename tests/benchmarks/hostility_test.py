"""Hostile pictures, a short form: what benchmarks.hostility does at length."""

from unittest import mock

import numpy as np
from absl.testing import absltest

from nppnet_tf.benchmarks import hostility
from nppnet_tf.serving.peer import GrpcPeer
from nppnet_tf.serving.peer import RestPeer
from tests.inference import stand_in_models
from tests.serving import running_server

# The next one is the first bomb.
_COUNT = 249


class HostilityTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.enterClassContext(stand_in_models.loaded_once())
        models = stand_in_models.exported_model().parent.parent
        place = cls.enterClassContext(running_server.running(models))
        cls.rest = cls.enterClassContext(RestPeer(place))
        cls.grpc = cls.enterClassContext(GrpcPeer(place))

    def test_every_picture_gets_a_status_and_its_mates_their_answers(self):
        asked = []

        def predict(pictures):
            peer = self.rest if len(asked) % 2 else self.grpc
            asked.append(peer)
            return peer.predict(pictures, "predict_png")

        told = []
        found = hostility.run(predict, _COUNT, 2, after=told.append)

        self.assertEqual(found["inputs"], _COUNT)
        self.assertEqual(told[-1], _COUNT)
        self.assertEqual(told, sorted(set(told)))
        self.assertEmpty(found["faults"])
        self.assertLessEqual(
            found["largest_difference_of_mates"], hostility.TOLERANCE
        )
        self.assertEqual(sum(found["statuses"].values()), _COUNT)
        self.assertContainsSubset({"0", "1", "2"}, found["statuses"])
        self.assertEqual(self.rest.get("/healthz").status_code, 200)

    def test_what_goes_wrong_is_told(self):
        good = {
            "status": np.array([0]),
            "keypoints_xy": np.zeros((1, 2, 2)),
            "keypoint_scores": np.zeros((1, 2)),
        }

        def predict(pictures):
            count = len(pictures)
            if count == 1:
                return good
            if count == 8:
                raise ValueError("no answer")
            # The last batch: the mate of the hostile pictures is harmed.
            found = {
                name: np.repeat(array, count, axis=0)
                for name, array in good.items()
            }
            found["keypoints_xy"] = found["keypoints_xy"] + 1.0
            return found

        found = hostility.run(predict, 10)

        self.assertEqual(found["inputs"], 10)
        self.assertEqual(found["num_faults"], 2)
        self.assertIn("no answer", found["faults"][0])
        self.assertIn("keypoints_xy changed by 1.0", found["faults"][1])
        self.assertEqual(found["largest_difference_of_mates"], 1.0)
        with mock.patch.multiple(
            hostility, _LEAST_SECONDS=-1.0, _MOST_SECONDS_EACH=-1.0
        ):
            found = hostility.run(lambda pictures: good, 10_000)
        # Those of one group of batches.
        self.assertEqual(found["inputs"], 4 * 7)


if __name__ == "__main__":
    absltest.main()
