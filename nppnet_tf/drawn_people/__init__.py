"""People that are drawn: pictures, label maps and joints, exact by making.

For tests, demonstrations and first steps without a data set. May know what a
data set annotates (`data.descriptors`, `data.record`) and nothing else of the
product. Begin with `lip_folder`, which draws a whole folder; `person_painter`
paints one person.
"""
