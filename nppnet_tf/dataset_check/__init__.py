"""A data set under the eye before anything is trained on it.

`examination` looks at one sample, `dataset_check` at all of them together;
`findings` names what can be wrong, how badly, and what mends it.
"""
