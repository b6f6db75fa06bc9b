"""The network: branches, interaction and fusion put together.

`nppnet` is the only network class, for search, retraining and every ablation;
begin there. Beside it stand the two kinds of branches, what a network costs,
and networks as files. Nothing here trains or answers.
"""
