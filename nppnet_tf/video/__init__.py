"""Videos: parts and joints of every frame, followed through time.

A network looks at frames one by one, and what it says lies in a journal; then
the frames are gone through again, people are numbered, joints smoothed, labels
voted on, and everything is drawn. Begin with `video_run`. Needs PyAV, of the
extra `video`.
"""
