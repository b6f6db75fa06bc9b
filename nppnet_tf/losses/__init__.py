"""Losses of both tasks and the learned weights between them.

A loss is a function of targets and predictions that gives this replica's share
of the global value (`reduction`). No network, optimizer or data set is known
here. Begin with `joint`, which adds all of them.
"""
