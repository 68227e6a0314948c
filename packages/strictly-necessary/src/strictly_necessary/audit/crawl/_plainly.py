"""Frozen types as plain data for JSON, and back: for the journal, where pickle would run what a file says."""

from __future__ import annotations

import base64
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

_T = TypeVar("_T")


def plainly(thing: Any) -> Any:
    """Texts, numbers, lists and mappings for it. Fields that have their default are left out."""
    if is_dataclass(thing) and not isinstance(thing, type):
        return {
            each.name: plainly(value)
            for each in fields(thing)
            if (value := getattr(thing, each.name)) != each.default and value != ()
        }
    if isinstance(thing, Enum):
        return thing.value
    if isinstance(thing, bytes):
        return base64.b64encode(thing).decode("ascii")
    if isinstance(thing, tuple | list):
        return [plainly(each) for each in thing]
    if isinstance(thing, Mapping):
        return {key: plainly(value) for key, value in thing.items()}
    return thing


def typed(kind: type[_T], plain: Any) -> _T:
    """What `plainly` made of something of this type. Raises ValueError if it is something else."""
    found: _T = _typed(kind, plain)
    return found


def _typed(kind: Any, plain: Any) -> Any:
    origin = get_origin(kind)
    if origin in {Union, types.UnionType}:
        options = [each for each in get_args(kind) if each is not type(None)]
        return None if plain is None else _typed(options[0], plain)
    if origin is tuple:
        return _tuple(get_args(kind), plain)
    if origin is not None and issubclass(origin, Mapping):
        name, value = get_args(kind)
        return {_typed(name, key): _typed(value, each) for key, each in _a(dict, plain).items()}
    if kind is bytes:
        return base64.b64decode(_a(str, plain), validate=True)
    if kind is float:
        return float(_a(int | float, plain))
    if is_dataclass(kind) and isinstance(kind, type):
        hints: dict[str, Any] = _hints(kind)
        given = _a(dict, plain)
        if not given.keys() <= hints.keys():
            raise ValueError(f"{sorted(given.keys() - hints.keys())} are not fields of it")
        return _made(kind, {name: _typed(hints[name], value) for name, value in given.items()})
    if issubclass(kind, Enum):
        return kind(plain)
    return _a(kind, plain)


def _made(kind: Any, given: dict[str, Any]) -> Any:
    hints = _hints(kind)
    for each in fields(kind):
        if each.name not in given and get_origin(hints[each.name]) is tuple:
            given[each.name] = ()  # empty ones are not written, also where they have no default
    try:
        return kind(**given)
    except TypeError as error:
        raise ValueError(str(error)) from None


def _tuple(inside: tuple[Any, ...], plain: Any) -> tuple[Any, ...]:
    values = _a(list, plain)
    if len(inside) == 2 and inside[1] is Ellipsis:
        return tuple(_typed(inside[0], each) for each in values)
    if len(values) != len(inside):
        raise ValueError(f"{len(inside)} are expected, here are {len(values)}")
    return tuple(_typed(each, value) for each, value in zip(inside, values, strict=True))


def _a(kind: Any, plain: Any) -> Any:
    if not isinstance(plain, kind) or (isinstance(plain, bool) and kind is not bool):
        raise ValueError(f"{kind} is expected, here is {type(plain).__name__}")  # the file is wrong, not the code
    return plain


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
