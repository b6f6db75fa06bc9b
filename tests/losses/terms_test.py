"""Tests of nppnet_tf.losses.terms: the table and the functions agree."""

from absl.testing import absltest

from nppnet_tf import keys
from nppnet_tf.losses import joint
from nppnet_tf.losses import terms


class TermsTest(absltest.TestCase):
    def test_every_term_has_its_function_and_no_other(self):
        names = [term.name for term in terms.TERMS]

        self.assertCountEqual(names, joint.FUNCTIONS)
        self.assertEqual(len(set(names)), len(names))

    def test_every_task_has_a_term(self):
        tasks = {term.task for term in terms.TERMS}

        self.assertEqual(tasks, set(keys.BRANCHES))

    def test_every_term_can_be_shown(self):
        titles = [term.title for term in terms.TERMS]

        self.assertNotIn("", titles)
        self.assertEqual(len(set(titles)), len(titles))


if __name__ == "__main__":
    absltest.main()
