"""What each agency sees and how it writes it down; one module per agency.

Every module offers `see(scene)`, the contacts as numpy columns, and `write(...)`, the files.
"""
