"""A study: systems by seeds, trained alike and compared at equal cost.

`study.Study` takes the units that `plan.units` names one after the other and
adds each to a file of results, so that a study stops and goes on anywhere.
What is said of the results is in `summary`, and `report` shows it. Begin at
`study`, then read `plan`.
"""
