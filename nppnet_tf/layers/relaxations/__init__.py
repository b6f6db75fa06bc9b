"""How alpha and beta become weights while a search learns them, one file each.

Begin with `table.py`, which knows all of them; `relaxation_layer.py` says what
each of them is, and `drawn.py` what those share that draw at random.
"""
