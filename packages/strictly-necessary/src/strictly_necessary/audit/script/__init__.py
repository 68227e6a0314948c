"""Scripts: what a person would do to sign in, to sign out, to answer the question about consent, and what to try.

A script is a TOML file of steps, or a Python file for what steps cannot say. Reading it needs no browser; running it
needs Playwright, which joins the audit's own tab for as long as the script lasts.
"""

from strictly_necessary.audit.script._playing import Player
from strictly_necessary.audit.script._reading import read_script
from strictly_necessary.audit.script._secrets import Secrets
from strictly_necessary.audit.script._steps import Fault, Part, Scene, Script, ScriptError, Step, Target, Verb

__all__ = [
    "Fault",
    "Part",
    "Player",
    "Scene",
    "Script",
    "ScriptError",
    "Secrets",
    "Step",
    "Target",
    "Verb",
    "read_script",
]
