"""Pictures before anybody is found in them: names, bytes, pixels.

What a file of a picture is called, what its bytes say, how it is turned,
decoded and written, and how pixels enter a network. One decoder and one set of
rules serve files, records and the served graph (`inference.encoded_pictures`
states the same rules in TensorFlow). Begin with `picture_files`.
"""
