"""A trained network answers: pictures or bytes in, parts and joints out.

`serving_graph` is the one graph that answers, for files and for servers;
`predictor` runs it on pictures and `export` saves it, with what a server needs
beside it. Nothing here trains or measures. Begin with `predictor`.
"""
