"""Tests of nppnet_tf.video.label_vote."""

import numpy as np
from absl.testing import absltest

from nppnet_tf.video import label_vote


class VoteTest(absltest.TestCase):
    def test_most_frames_decide_and_ties_are_the_frame_s_own(self):
        #                  most  tie  all  own  nearest
        frames = np.array(
            [
                [[1, 5, 3, 0, 7]],
                [[1, 6, 3, 1, 8]],
                [[2, 6, 3, 2, 9]],
                [[1, 5, 3, 3, 8]],
                [[9, 9, 3, 4, 7]],
            ]
        )

        voted = label_vote.vote(list(frames), 2)

        self.assertEqual(voted.tolist(), [[1, 6, 3, 2, 8]])

    def test_ends_of_a_video_vote_with_what_is_there(self):
        frames = [np.array([[1]]), np.array([[2]]), np.array([[2]])]

        self.assertEqual(label_vote.vote(frames, 0).tolist(), [[2]])
        self.assertEqual(label_vote.vote(frames[:1], 0).tolist(), [[1]])


if __name__ == "__main__":
    absltest.main()
