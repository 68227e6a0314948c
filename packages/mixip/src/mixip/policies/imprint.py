"""Who runs this copy of the platform: the name and the address that stand in the legal texts."""

from dataclasses import dataclass, replace

from mixip.edge.policy import declaration as shipped
from strictly_necessary import Declaration, Item


@dataclass(frozen=True, slots=True)
class Imprint:
    """The operator's name, and the address for questions about data."""

    operator: str
    contact: str


def in_the_name_of(imprint: Imprint, declaration: Declaration) -> Declaration:
    """The declaration with this operator in place of the authors of the software, in every language; what is ours is
    then theirs, and whoever provides something on our behalf does so on theirs. An operator who wrote another name or
    address into a policy of their own meant it: it stays. So does the name to which people give their consent: who asks
    is part of what they agree to."""
    author, address = shipped().policy.operator, shipped().policy.contact
    policy, items = declaration.policy, declaration.items
    if policy.operator == author and not declaration.gated:
        policy = replace(policy, operator=imprint.operator)
        items = tuple(_provided(item, author, imprint.operator) for item in items)
    if policy.contact == address:
        policy = replace(policy, contact=imprint.contact)
    return replace(declaration, policy=policy, items=items)


def _provided(item: Item, author: str, operator: str) -> Item:
    translations = {
        language: {key: text.replace(author, operator) if key == "provider" else text for key, text in texts.items()}
        for language, texts in item.translations.items()
    }
    return replace(item, provider=item.provider.replace(author, operator), translations=translations)
