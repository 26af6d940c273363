"""A question asked a million times: grids and samples over the fields of a scenario.

Takes a study file; returns tables of results in a folder, their quantiles and what they are sensitive to.
"""
