"""What is written of predicted pictures, in the formats that people ask for.

A format is one class with three methods, and `formats` is the table of all of
them: adding one touches that table and one new module. `picture_run` goes
through pictures and hands each answer to the writer. Begin with `writer`.
"""
