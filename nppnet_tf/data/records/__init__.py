"""Folders of records: annotated people in one form, whatever they came from.

Records are written once (`record_writer`, where to begin, and `shard`, which
survives a kill) and read by number ever after. The manifest says what a folder
holds and is read without TensorFlow.
"""
