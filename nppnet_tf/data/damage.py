"""Damaged records: named, counted, and too many of them stop the run."""

import threading
from typing import NoReturn

from absl import logging

from nppnet_tf.errors import UserError

_NAMED_IN_MESSAGE = 5


class BadRecordError(UserError):
    """One record that cannot be used.

    Args:
        record_id: Id of the record.
        reason: What is wrong with it, an error or a phrase.
        where: File or shard that holds it.

    Attributes:
        cause: The error that is the reason, or None of a phrase.
    """

    def __init__(
        self, record_id: str, reason: object, where: object = None
    ) -> None:
        super().__init__(f"record {record_id}: {reason}", where)
        self.record_id = record_id
        self.reason = " ".join(str(reason).split())
        self.cause = reason.kept() if isinstance(reason, UserError) else None

    @property
    def line(self) -> str:
        """`<id><tab><reason>`, as a list of skipped records has it."""
        return f"{self.record_id}\t{self.reason}"


class DamageLog:
    """Remembers the damaged records of one source, from any thread.

    Args:
        source: What is read, for messages.
        is_silent: Whether nothing is named in the log: another process hears
            of the records and does so.
    """

    def __init__(self, source: object, is_silent: bool = False) -> None:
        self._source = source
        self._is_silent = is_silent
        self._lock = threading.Lock()
        self._bad: dict[str, BadRecordError] = {}
        self._pending: UserError | None = None

    @property
    def bad_records(self) -> tuple[BadRecordError, ...]:
        """Every damaged record met so far, once, ordered by id."""
        with self._lock:
            return tuple(self._bad[name] for name in sorted(self._bad))

    def skip(self, bad: BadRecordError, limit: int) -> None:
        """Counts a damaged record and names it in the log.

        Args:
            bad: The record; one met before, in an earlier epoch, counts once.
            limit: Damaged records that are skipped at most.

        Raises:
            UserError: More than `limit` are damaged. It is kept as well:
                `raise_pending`.
        """
        with self._lock:
            if bad.record_id not in self._bad:
                self._bad[bad.record_id] = bad
                if len(self._bad) <= limit and not self._is_silent:
                    logging.warning("skipped %s", bad)
            if len(self._bad) > limit:
                self._pending = self._too_many(limit)
                raise self._pending

    def fail(self, error: UserError) -> NoReturn:
        """Keeps an error for `raise_pending` and raises it."""
        with self._lock:
            self._pending = error
        raise error

    def raise_pending(self) -> None:
        """Raises the error that stopped the reading, if one did.

        Inside of a tf.data graph a `UserError` becomes an error of TensorFlow;
        this brings the error itself back.
        """
        with self._lock:
            pending = self._pending
        if pending is not None:
            raise pending

    def _too_many(self, limit: int) -> UserError:
        bad = list(self._bad.values())
        found = [str(each) for each in bad[:_NAMED_IN_MESSAGE]]
        if len(bad) > _NAMED_IN_MESSAGE:
            found.append("...")
        return UserError(
            "too many damaged records" if limit else "damaged record",
            self._source,
            f"at most {limit} (max_bad_records)",
            "; ".join(found),
        )
