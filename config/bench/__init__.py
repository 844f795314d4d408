"""How fast the product is, beside the same work done in plain SQL or plain Python.

Each bench returns ratios; `manage.py bench` prints them together. Nothing here is used by the site.
"""
