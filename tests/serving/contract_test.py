"""Our server keeps the contract of serving.contract."""

import dataclasses

from absl.testing import absltest

from nppnet_tf.pictures import picture_files
from nppnet_tf.serving import contract
from nppnet_tf.serving.peer import GrpcPeer
from nppnet_tf.serving.peer import RestPeer
from tests.inference import stand_in
from tests.inference import stand_in_models
from tests.serving import running_server


class ContractTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.enterClassContext(stand_in_models.loaded_once())
        models = stand_in_models.exported_model().parent.parent
        cls.place = cls.enterClassContext(running_server.running(models))
        cls.subject = contract.Subject(
            cls.enterClassContext(RestPeer(cls.place)),
            cls.enterClassContext(GrpcPeer(cls.place)),
            picture_files.encode_png(stand_in.picture(40, 30)),
        )

    def _assert_kept(self, checks, subject=None):
        results = contract.run(subject or self.subject, checks)

        self.assertLen(results, len(checks))
        for result in results:
            with self.subTest(result.name):
                self.assertEmpty(result.problem)

    def test_it_keeps_the_contract_of_tensorflow_serving(self):
        self._assert_kept(contract.CONTRACT)

    def test_it_does_what_it_adds(self):
        self._assert_kept(contract.EXTRAS)

    def test_a_server_in_front_of_it_keeps_it_too(self):
        place = self.enterContext(running_server.running_before(self.place))
        rest = self.enterContext(RestPeer(place))

        self.assertNotEqual(place.rest, self.place.rest)
        self._assert_kept(
            contract.CONTRACT, dataclasses.replace(self.subject, rest=rest)
        )

    def test_another_model_breaks_the_contract(self):
        other = dataclasses.replace(self.subject.rest.place, model="other")
        with RestPeer(other) as rest:
            subject = dataclasses.replace(self.subject, rest=rest)
            results = contract.run(subject, contract.CONTRACT)

        broken = {result.name for result in results if result.problem}
        self.assertContainsSubset(
            {"row_format", "status_lists_versions", "default_signature"}, broken
        )


if __name__ == "__main__":
    absltest.main()
