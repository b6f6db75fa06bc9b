"""Very many pictures, on Apache Beam: from lists to shards of results.

`job` divides the inputs into shards and remembers which are done, `pictures`
reads those of a shard, `answers` predicts and encodes one, `results` writes a
shard, and `pipeline` puts them together. What a shard holds depends on its
inputs and the model alone, so that a job that was killed goes on. Begin with
`job`.
"""
