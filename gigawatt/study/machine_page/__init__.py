"""What a machine is made of, as people look at it: a picture, figures and a standard job.

Takes a machine of the catalogue; returns a document of it, and its picture as SVG.
"""
