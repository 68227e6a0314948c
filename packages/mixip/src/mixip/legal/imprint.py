"""Who runs this copy of the platform: the name and the address that stand in the legal texts."""

from dataclasses import dataclass, replace

from strictly_necessary import Declaration


@dataclass(frozen=True, slots=True)
class Imprint:
    """The operator's name, and the address for questions about data."""

    operator: str
    contact: str


def in_the_name_of(imprint: Imprint, declaration: Declaration) -> Declaration:
    """The declaration with this operator in place of the one who wrote it; what is ours is then theirs."""
    author = declaration.policy.operator
    items = tuple(
        replace(item, provider=imprint.operator) if item.provider == author else item for item in declaration.items
    )
    policy = replace(declaration.policy, operator=imprint.operator, contact=imprint.contact)
    return replace(declaration, policy=policy, items=items)
