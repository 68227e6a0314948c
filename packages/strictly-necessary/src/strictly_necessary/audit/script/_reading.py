"""From a script's file to steps, collecting everything that is wrong on the way."""

from __future__ import annotations

import importlib.util
import inspect
import os
import re
import sys
import tomllib
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from strictly_necessary.audit.script._secrets import Secrets
from strictly_necessary.audit.script._steps import Fault, Function, Part, Scene, Script, ScriptError, Step, Target, Verb
from strictly_necessary.declaration import _positions

_VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_QUOTED = re.compile(r"""["']([A-Za-z_][A-Za-z0-9_]*)["']""")
_SYNTAX = re.compile(r" \(at line (\d+), column \d+\)$")
_VERBS = ", ".join(Verb)


def read_script(path: Path, environ: Mapping[str, str] | None = None) -> Script:
    """Read a TOML or a Python file (by its ending); a Python file is imported, and so run. Raises ScriptError with all
    that is wrong, and OSError."""
    if path.suffix == ".py":
        return _python(path)
    return read_toml(path.read_bytes(), path.as_posix(), os.environ if environ is None else environ)


def read_toml(raw: bytes, file: str, environ: Mapping[str, str]) -> Script:
    """The script in these bytes. `text = "$NAME"` is taken from `environ`."""
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
        document = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise ScriptError((Fault(file, raw[: error.start].count(b"\n") + 1, "not UTF-8"),)) from None
    except tomllib.TOMLDecodeError as error:
        found = _SYNTAX.search(str(error))
        line = int(found[1]) if found else text.rstrip("\n").count("\n") + 1
        raise ScriptError((Fault(file, line, _SYNTAX.sub("", str(error))),)) from None
    reader = _Reader(file, _positions.scan(text), environ)
    script = reader.script(document)
    if reader.faults:
        raise ScriptError(tuple(sorted(reader.faults, key=lambda fault: fault.line)))
    return script


@dataclass(slots=True)
class _Reader:
    file: str
    positions: _positions.Positions
    environ: Mapping[str, str]
    faults: list[Fault] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)

    def script(self, document: dict[str, Any]) -> Script:
        steps: dict[Part, tuple[Step, ...]] = {}
        scenes: list[Scene] = []
        for key, rows in document.items():
            if key not in set(Part):
                self._fault(f"unknown table {key!r}; use {', '.join(f'[[{part}]]' for part in Part)}", key, 0)
            elif not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                self._fault(f"write [[{key}]] above each step", key, 0)
            elif key == Part.ACTS:
                scenes = self._scenes(rows)
            else:
                read = [self._step(row, key, index) for index, row in enumerate(rows)]
                steps[Part(key)] = tuple(step for step in read if step is not None)
        if not document:
            self.faults.append(Fault(self.file, 1, f"no step; begin with [[{Part.SIGN_IN}]]"))
        return Script(self.file, steps, tuple(scenes), secrets=Secrets(self.secrets))

    def _scenes(self, rows: list[dict[str, Any]]) -> list[Scene]:
        scenes: list[tuple[str | None, list[Step]]] = []
        for index, row in enumerate(rows):
            page = row.get("page")
            if page is not None and not (isinstance(page, str) and page):
                self._fault('write page as a path, such as "/settings"', Part.ACTS, index, "page")
                continue
            step = self._step({key: value for key, value in row.items() if key != "page"}, Part.ACTS, index)
            if step is None:
                continue
            if not scenes or (page is not None and page != scenes[-1][0]):
                scenes.append((page, []))
            scenes[-1][1].append(step)
        return [Scene(page, tuple(steps)) for page, steps in scenes]

    def _step(self, row: dict[str, Any], *place: str | int) -> Step | None:
        line = self.positions.of(*place).line
        if len(row) != 1 or next(iter(row)) not in set(Verb):
            said = ", ".join(row) or "nothing"
            self.faults.append(Fault(self.file, line, f"a step has one verb, here stands {said}; use one of {_VERBS}"))
            return None
        name, value = next(iter(row.items()))
        verb, line = Verb(name), self.positions.of(*place, name).line
        try:
            return self._read(verb, value, line)
        except ValueError as error:
            self.faults.append(Fault(self.file, line, f"{verb}: {error}"))
            return None

    def _read(self, verb: Verb, value: Any, line: int) -> Step:
        if verb in {Verb.CLICK, Verb.CHECK, Verb.SUBMIT}:
            return Step(verb, line, Target.parse(_text(value)))
        if verb is Verb.TYPE:
            into, text = _pair(value, "into", "text")
            return Step(verb, line, Target.parse(into), self._from_environment(text))
        if verb is Verb.CHOOSE:
            source, option = _pair(value, "from", "option")
            return Step(verb, line, Target.parse(source), option)
        if verb is Verb.SCROLL or (verb is Verb.WAIT and not isinstance(value, str)):
            if isinstance(value, bool) or not isinstance(value, int | float) or (verb is Verb.WAIT and value < 0):
                raise ValueError("write a number" + (" of seconds, or a text" if verb is Verb.WAIT else " of pixels"))
            return Step(verb, line, amount=float(value))
        return Step(verb, line, text=_text(value))

    def _from_environment(self, text: str) -> str:
        found = _VARIABLE.fullmatch(text)
        if found is None:
            return text
        value = self.environ.get(found[1])
        if not value:
            raise ValueError(f"{found[1]} is not set in the environment")
        self.secrets[found[1]] = value
        return value

    def _fault(self, message: str, *place: str | int) -> None:
        self.faults.append(Fault(self.file, self.positions.of(*place).line, message))


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("write a text in quotes")
    return value


def _pair(value: Any, first: str, second: str) -> tuple[str, str]:
    if not isinstance(value, dict) or set(value) != {first, second}:
        raise ValueError(f'write {{ {first} = \'label "…"\', {second} = "…" }}')
    into, text = value[first], value[second]
    return _text(into), text if text == "" else _text(text)


def _python(path: Path) -> Script:
    file = path.as_posix()
    name = f"_strictly_script_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:  # pragma: no cover  the ending is .py
        raise ScriptError((Fault(file, 1, "not a Python file"),))
    path.stat()  # so that a missing file is an OSError, as for TOML
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and the like look their module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever somebody's file does is theirs to mend
        raise ScriptError((Fault(file, line_in(error, path), f"{type(error).__name__}: {error}"),)) from error
    finally:
        del sys.modules[name]
    functions: dict[Part, Function] = {}
    faults: list[Fault] = []
    for part in Part:
        function = getattr(module, part, None)
        if inspect.iscoroutinefunction(function):
            functions[part] = function
        elif function is not None:
            arguments = "page, act" if part is Part.ACTS else "page"
            line = function.__code__.co_firstlineno if inspect.isfunction(function) else 1
            faults.append(Fault(file, line, f"write async def {part}({arguments})"))
    if not functions and not faults:
        faults.append(Fault(file, 1, f"none of the functions {', '.join(Part)}"))
    if faults:
        raise ScriptError(tuple(faults))
    return Script(file, functions=functions, secrets=Secrets(_of_environment(path)))


def _of_environment(path: Path) -> dict[str, str]:
    """The variables that a Python file names: which of them are secret, nobody says."""
    words = set(_QUOTED.findall(path.read_text(encoding="utf-8", errors="replace")))
    return {name: os.environ[name] for name in sorted(words & set(os.environ))}


def line_in(error: BaseException, path: Path) -> int:
    """The last line of this file that the error came through, else the first."""
    if isinstance(error, SyntaxError) and error.lineno:
        return error.lineno
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path]
    return next((line for line in reversed(lines) if line), 1)
