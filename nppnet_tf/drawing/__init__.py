"""Pictures for people to look at: overlays, sheets, genotypes, curves.

Nothing here changes a number. Begin with `rendering` for pictures of people
and `genotype_drawing` for networks.
"""
