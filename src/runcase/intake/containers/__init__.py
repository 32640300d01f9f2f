"""Container families, one file each: how their members are found, decoded and checked.

Nothing here writes a file, follows a link or trusts a length. A family yields
`Member`s in archive order; the walker in `archive.py` pulls their bytes, keeps
the budgets, and opens what is itself a container.
"""
