"""What the house costs: seconds, memory, nodes of graphs.

A module for each thing that is measured, with a function `measure` that returns
plain values for JSON; `measuring` has what they share. A figure of the pages
is made here, and nothing that a run needs. Begin with `training_steps`.
"""
