"""The operations of the search space, one file each.

A file holds both forms of its operation: the layer of a derived network, and
what a supernet computes of it for many edges at once. `operation` states what
the forms owe each other, `table` lists them. An operation of your own enters by
`table.register`, from outside the package.
"""
