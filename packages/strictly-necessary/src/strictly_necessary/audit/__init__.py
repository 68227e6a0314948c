"""The audit: what a real browser did, compared with what the site declares, in both directions.

`observe` drives the browser and writes down what happened; `judge` compares it with the declaration. See decision 11.
"""
