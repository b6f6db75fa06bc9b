"""A data set under the eye before anything is trained on it.

`examination` looks at one sample, `dataset_check` at all of them together;
`findings` names what can be wrong, how badly, and what mends it. `survey`
does both for every split, where to begin; `report` and `suspects` show what
came of it. What repairs a data set does not belong here: nothing is changed.
"""
