"""The words of a script as frozen types."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from strictly_necessary.audit._observation import Act, Deed
from strictly_necessary.audit.script._secrets import Secrets


class Part(StrEnum):
    """What a script can tell, each a list of tables in TOML and a function in Python."""

    SIGN_IN = "sign_in"
    SIGN_OUT = "sign_out"
    GIVE = "give"
    REFUSE = "refuse"
    ACTS = "acts"


class Verb(StrEnum):
    """What a step does."""

    GO = "go"
    CLICK = "click"
    TYPE = "type"
    PRESS = "press"
    CHOOSE = "choose"
    CHECK = "check"
    SUBMIT = "submit"
    WAIT = "wait"
    SCROLL = "scroll"


DEEDS = {
    Verb.GO: Deed.GO,
    Verb.CLICK: Deed.CLICK,
    Verb.TYPE: Deed.TYPE,
    Verb.PRESS: Deed.PRESS,
    Verb.CHOOSE: Deed.CHOOSE,
    Verb.CHECK: Deed.CHOOSE,
    Verb.SUBMIT: Deed.SUBMIT,
    Verb.WAIT: Deed.WAIT,
    Verb.SCROLL: Deed.SCROLL,
}

ROLES = frozenset(
    {
        "button",
        "checkbox",
        "combobox",
        "heading",
        "link",
        "listbox",
        "menuitem",
        "option",
        "radio",
        "searchbox",
        "slider",
        "spinbutton",
        "switch",
        "tab",
        "textbox",
    }
)
"""The roles of WAI-ARIA 1.2, section 5.4, that people can point at."""

_TARGET = re.compile(r'([a-z]+)\s+"(.+)"|css\s+(\S.*)', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Target:
    """What a step is done to: `by` is a role, `label`, `text` or `css`, and `name` its accessible name, its text or the
    selector."""

    by: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Target:
        """Raises ValueError, with what to write instead."""
        found = _TARGET.fullmatch(text.strip())
        if found is None:
            raise ValueError('write such as button "Sign in", label "E-mail", text "Welcome" or css #id')
        if found[3]:
            return cls("css", found[3])
        if found[1] not in ROLES | {"label", "text"}:
            raise ValueError(f"{found[1]} is not one of label, text, css, {', '.join(sorted(ROLES))}")
        return cls(found[1], found[2])

    def __str__(self) -> str:
        return f"css {self.name}" if self.by == "css" else f'{self.by} "{self.name}"'


@dataclass(frozen=True, slots=True)
class Step:
    """One step and the line where it stands. `text` is what is typed, the option, the key, the path or the text that is
    waited for; `amount` are seconds or pixels. `text` may be a secret, so `repr` leaves it out."""

    verb: Verb
    line: int
    target: Target | None = None
    text: str = field(default="", repr=False)
    amount: float | None = None

    def act(self) -> Act:
        """What the observation says of it: never what was typed."""
        target = None if self.target is None else str(self.target)
        if self.verb in {Verb.GO, Verb.PRESS}:
            target = self.text
        elif self.verb is Verb.WAIT:
            target = f'text "{self.text}"' if self.amount is None else f"{self.amount:g} s"
        elif self.verb is Verb.SCROLL:
            target = f"{self.amount:g} px"
        elif self.verb is Verb.CHOOSE:
            target = f'"{self.text}" from {self.target}'
        return Act(DEEDS[self.verb], target, told=True)


@dataclass(frozen=True, slots=True)
class Scene:
    """Steps of `[[acts]]` that are tried on one page; None is the page where the audit begins."""

    page: str | None
    steps: tuple[Step, ...]


Function = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Script:
    """A script that was read. A TOML file has `steps` and `scenes`, a Python file `functions`."""

    file: str
    steps: Mapping[Part, tuple[Step, ...]] = field(default_factory=dict)
    scenes: tuple[Scene, ...] = ()
    functions: Mapping[Part, Function] = field(default_factory=dict)
    secrets: Secrets = field(default_factory=Secrets)

    def tells(self, part: Part) -> bool:
        return part in self.functions or bool(self.scenes if part is Part.ACTS else self.steps.get(part))


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in a script's file. Lines count from 1."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.message}"


class ScriptError(Exception):
    """The script cannot be used. `faults` holds all that is wrong, in the order of the file."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults
