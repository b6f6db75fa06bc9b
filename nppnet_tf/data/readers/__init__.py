"""Data sets as they lie on disk, read into samples.

One module per layout; a further layout is a module here and a line in
`datasets`, where to begin. A reader gives samples (`data.source`) and says what
it looked for and did not find (`data.absence`); it writes nothing.
"""
