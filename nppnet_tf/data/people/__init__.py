"""One person out of a picture of many.

Boxes, detections and masks of people, and the four ways of cutting a single
person out (`cutting`, where to begin); `detected_files` makes detections of
many pictures. Readers use this room; it knows no layout of a data set.
"""
