"""A trained network answers: pictures or bytes in, parts and joints out.

`serving_graph` is the one graph that answers, for files and for servers:
`network_input` fits a picture into the network's input, `network_output` reads
the answer at the picture's pixels. `predictor` runs it on pictures and `export`
saves it, with what a server needs beside it. Nothing here trains or measures.
Begin with `predictor`.
"""
