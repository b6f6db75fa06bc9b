"""Tests of what is asked of a study's results."""

import json

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.errors import UserError
from nppnet_tf.files import json_documents
from nppnet_tf.search_space import published
from nppnet_tf.study import result_forms

_STAGE = {"largest_skip_share": 0.5, "entropy": [2, 1.5]}
_SEARCH = {
    "genotype": published.released().to_values(),
    "stages": {"first": _STAGE},
    "seconds": 3,
    "seconds_in_all": 4.5,
}


class CheckTest(parameterized.TestCase):
    def _check(self, value, form=result_forms.SEARCH):
        json_documents.require_form(
            json.loads(json.dumps(value)), form, "r.jsonl, line 3", "result"
        )

    def test_what_is_there_beside_is_not_looked_at(self):
        self._check(_SEARCH | {"more": None})

    @parameterized.parameters(
        ({"seconds": True}, "result.seconds is not a number"),
        ({"seconds": None}, "result.seconds is not a number.*found: null"),
        ({"stages": {}}, "result.stages is empty"),
        ({"stages": []}, "result.stages is not an object"),
        (
            {"stages": {"first": _STAGE | {"entropy": []}}},
            r"result.stages.first.entropy is empty",
        ),
        (
            {"stages": {"first": _STAGE | {"entropy": [1, "x"]}}},
            r"result.stages.first.entropy\[1\] is not a number",
        ),
        ({"genotype": {}}, "malformed genotype; where: .*result.genotype"),
    )
    def test_other_values_are_named_with_their_line(self, changes, message):
        with self.assertRaisesRegex(UserError, message) as caught:
            self._check(_SEARCH | changes)
        self.assertIn("where: r.jsonl, line 3", str(caught.exception))

    @parameterized.parameters(0, -1, "1", None, float("nan"))
    def test_what_is_divided_by_is_positive(self, macs):
        with self.assertRaisesRegex(UserError, "result.macs is not a.*line 3"):
            self._check({"macs": macs}, {"macs": result_forms.positive})

    @parameterized.parameters(-0.1, 1e308, "1", None, float("nan"))
    def test_scores_are_shares(self, score):
        self._check({"pckh": 1}, {"pckh": result_forms.share})
        with self.assertRaisesRegex(UserError, "result.pckh is not a.*line 3"):
            self._check({"pckh": score}, {"pckh": result_forms.share})

    def test_some_lists_may_be_empty(self):
        self._check([], ["a number"])
        with self.assertRaisesRegex(UserError, "result is empty"):
            self._check([], result_forms.some(["a number"]))


if __name__ == "__main__":
    absltest.main()
