"""A consent file as people write it."""

WHOLE = """who = "Anna Example"
uses = ["Research", "film"]
forbidden = ["advertising"]
until = 2027-12-31
record = "folder 7"
"""
