"""What every policy of this platform has to hold, because the software itself sets it."""

from collections.abc import Iterator

from mixip.edge.policy import declaration as shipped
from strictly_necessary import Declaration, Item, SetBy
from strictly_necessary.page import heading

OWN = ("session", "csrf", "theme", "accent")
"""The ids of what we set. The rest of the policy that comes along may be dropped, such as the load balancer's."""

_FIXED = (
    "name",
    "kind",
    "set_by",
    "readable_by_application",
    "http_only",
    "secure",
    "same_site",
    "path",
    "domain",
    "partitioned",
)


def missing(declaration: Declaration) -> list[str]:
    """What a policy lacks or has otherwise of what the software sets, in words for the operator; nothing if it is well.

    With another name or attribute nobody could sign in, and what we store would not be what the page says.
    """
    held = {item.id: item for item in declaration.items}
    faults = [
        f"languages: the platform has no words in {code!r}" for code in declaration.policy.languages if _is_mute(code)
    ]
    for key in OWN:
        if key not in held:
            faults.append(f'the item "{key}" is missing, which the platform itself sets')
        else:
            faults += _changed(declaration, shipped().item(key), held[key])
    return faults


def _is_mute(language: str) -> bool:
    """Whether the page of the policy, and so all that is told of it, has no words in this language."""
    try:
        heading(language=language)
    except ValueError:
        return True
    return False


def unsigned(declaration: Declaration, operator: str) -> list[str]:
    """Why people could not say yes to this policy: they say it to somebody, whose name stands in the version that they
    answer, and not in a setting."""
    if not declaration.gated or declaration.policy.operator == operator:
        return []
    return [
        f'operator = "{declaration.policy.operator}": people are asked for their consent, so write who asks, '
        f"{operator}, into the policy, and as the provider of what is theirs; or change MIXIP_OPERATOR"
    ]


def _changed(declaration: Declaration, own: Item, item: Item) -> Iterator[str]:
    for field in _FIXED:
        ours, theirs = getattr(own, field), getattr(item, field)
        if ours != theirs:
            yield f'"{own.id}" needs {field} = {_written(ours)}, as the platform sets it, and not {_written(theirs)}'
    if (item.values and not set(own.values) <= set(item.values)) or (item.values and not own.values):
        yield f'"{own.id}" has to allow the values that the platform keeps: {", ".join(own.values) or "any"}'
    if own.set_by is SetBy.SCRIPT and not item.lifetime.is_persistent:
        yield f'"{own.id}" needs lifetime = "persistent": the platform keeps it until it is removed'
    if not declaration.is_exempt(item):
        yield f'"{own.id}" must not need consent: the platform sets it without asking'


def _written(value: object) -> str:
    """As it stands in the file."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"'
