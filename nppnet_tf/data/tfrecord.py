"""Folders of records, for programs of others: an import path that stays.

    from nppnet_tf.data import tfrecord

    records = tfrecord.RecordSet.open("records/train")

Rooms of the package may change; notebooks that read records by this path keep
working. Within the package `data.records.record_set` is imported.
"""

from nppnet_tf.data.records.record_set import RecordSet

__all__ = ["RecordSet"]
