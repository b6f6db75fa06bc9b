"""Tests of nppnet_tf.data.damage."""

import concurrent.futures

from absl.testing import absltest

from nppnet_tf.data.damage import BadRecordError
from nppnet_tf.data.damage import DamageLog
from nppnet_tf.errors import UserError


class DamageLogTest(absltest.TestCase):
    def test_record_counts_once_however_often_it_is_met(self):
        log = DamageLog("source")

        for _ in range(3):
            log.skip(BadRecordError("a", "torn"), limit=1)

        self.assertLen(log.bad_records, 1)
        log.raise_pending()

    def test_more_than_the_limit_stops_and_names_all(self):
        log = DamageLog("source")
        log.skip(BadRecordError("a", "torn", "x.jpg"), limit=1)

        with self.assertRaisesRegex(
            UserError,
            "too many damaged records; where: source; expected: at most 1 "
            r".*record a: torn; where: x.jpg; record b: wet",
        ):
            log.skip(BadRecordError("b", "wet"), limit=1)
        with self.assertRaisesRegex(UserError, "too many damaged records"):
            log.raise_pending()

    def test_counts_right_from_many_threads(self):
        log = DamageLog("source")

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(
                pool.map(
                    lambda i: log.skip(BadRecordError(str(i % 50), "torn"), 50),
                    range(1000),
                )
            )

        self.assertLen(log.bad_records, 50)


if __name__ == "__main__":
    absltest.main()
