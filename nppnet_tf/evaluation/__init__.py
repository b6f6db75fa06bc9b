"""Predictions against annotations, at the pictures' own size.

Measures a model or the files of any system, and writes predictions, results
and LIP's submission. The metrics themselves are in `metrics`. Begin with
`evaluation`; `model_evaluation` goes from folders to its result, and
`picture_outputs` names the files of predicted pictures.
"""
