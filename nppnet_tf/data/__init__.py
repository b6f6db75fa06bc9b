"""People who are annotated: what a data set says of them, in one form.

This floor holds what every reader and every batch needs: what is annotated
(`descriptors`), one person (`record`), raw files and their frames, damage and
absence. Rooms: `readers` (layouts on disk), `people` (one out of many),
`records` (folders of them) and `samples` (batches). Begin with `record`.
"""
