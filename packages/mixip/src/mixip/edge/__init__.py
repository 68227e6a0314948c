"""What every request passes: guard, errors, limits, cross-origin check, session, access, then the handler and the page.

`mixip.app` puts these in order. Nothing here knows a feature.
"""
