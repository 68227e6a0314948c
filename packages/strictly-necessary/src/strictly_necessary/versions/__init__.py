"""Versions of a declaration: what changed, what that means for people, and which of them holds when."""

from strictly_necessary.declaration._items import Significance
from strictly_necessary.versions._change import Change, ChangeKind, Difference
from strictly_necessary.versions._diff import diff
from strictly_necessary.versions._history import History, Version
from strictly_necessary.versions._loading import folder_of, load_history, read_history
from strictly_necessary.versions._release import NOTICE, Release, plan_release

__all__ = [
    "NOTICE",
    "Change",
    "ChangeKind",
    "Difference",
    "History",
    "Release",
    "Significance",
    "Version",
    "diff",
    "folder_of",
    "load_history",
    "plan_release",
    "read_history",
]
