"""Records to batches: one drawn transform, targets, order.

What a network is fed. Every sample is a function of seed, epoch and position,
so that a run goes on where it was killed. Begin with `batches`; what is drawn
stands in `augmentation`, what is moved in `geometry`.
"""
