"""The gate: the question before anything that needs consent, and the place where people change their answers."""

from __future__ import annotations

from gettext import NullTranslations
from html import escape

from strictly_necessary.browser import CONSENT_PATH
from strictly_necessary.consent import Standing
from strictly_necessary.declaration._items import Item
from strictly_necessary.page import _html
from strictly_necessary.page._blocks import Card
from strictly_necessary.page._edition import Edition, edition, title_in_words
from strictly_necessary.page._question import Question, facts, question


def render_gate_html(
    standing: Standing,
    *,
    back: str,
    language: str | None = None,
    catalogue: NullTranslations | None = None,
    action: str = CONSENT_PATH,
    policy: str | None = None,
) -> str:
    """The question about everything that is open, as `<section class="policy-gate">` with forms that need no script;
    empty if nobody is to be asked. No and yes weigh the same, nothing is ticked, and nothing is stored by looking at
    it. `back` is the path to return to, `policy` the address of the policy's page."""
    if not standing.asks:
        return ""
    view = edition(standing.version.declaration, language, catalogue)
    wanted = {item.id for item in standing.open}
    items = tuple(item for item in view.declaration.items if item.id in wanted)
    asks = question(view, items, policy)
    hidden = _hidden(view, items, back)
    parts = [
        f'<section class="policy-gate" data-cookie-gate role="region" aria-labelledby="cookie-gate-heading"'
        f"{_html.lang(language)}>",
        f'<h2 id="cookie-gate-heading">{escape(asks.heading)}</h2>',
        f"<p>{escape(asks.reason)}</p>",
        *(_asked(view, card, item, policy) for card, item in zip(asks.cards, items, strict=True)),
        _form(action, hidden, _answers(asks)),
        *([_one_by_one(view, asks, items, action, hidden)] if len(items) > 1 else []),
        f'<p class="policy-fine">{_html.words(asks.closing)}</p>',
        "</section>",
    ]
    return "\n".join(parts) + "\n"


def render_consents_html(
    standing: Standing,
    *,
    back: str,
    language: str | None = None,
    catalogue: NullTranslations | None = None,
    action: str = CONSENT_PATH,
    policy: str | None = None,
) -> str:
    """What is granted, refused and open now, as `<section class="policy-consents">`: each item with a button that takes
    it back or allows it at once; empty if nothing needs consent. The parameters are those of `render_gate_html`."""
    view = edition(standing.version.declaration, language, catalogue)
    items = view.declaration.gated
    if not items:
        return ""
    _ = view.language.gettext
    heading = escape(_("Your answers"))
    parts = [
        f'<section class="policy-consents" aria-labelledby="cookie-consents-heading"{_html.lang(language)}>',
        f'<h2 id="cookie-consents-heading">{heading}</h2>',
        *([f"<p>{escape(_signal(view))}</p>"] if standing.signal else []),
        *(_consent(view, standing, item, back, action, policy) for item in items),
        "</section>",
    ]
    return "\n".join(parts) + "\n"


def _signal(view: Edition) -> str:
    return view.language.gettext("Your browser says no for you, by Global Privacy Control. So we do not ask.")


def _consent(view: Edition, standing: Standing, item: Item, back: str, action: str, policy: str | None) -> str:
    label = f"cookie-consent-{item.id}"
    state, answers = _state(view, standing, item)
    card = Card(label, (title_in_words(view, item),), facts(view, item))
    buttons = "".join(_button(act, text, label) for act, text in answers)
    form = _form(action, _hidden(view, (item,), back), buttons) if buttons else ""
    return _asked(view, card, item, policy, state).removesuffix("</div>") + f"{form}\n</div>"


def _state(view: Edition, standing: Standing, item: Item) -> tuple[str, list[tuple[str, str]]]:
    """What holds for the item, and what people can do about it. A signal of the browser is changed in the browser."""
    _ = view.language.gettext
    back = [("withdraw", _("Take it back"))]
    if standing.signal:
        if standing.said and item.id in standing.said.granted:
            return _("You allowed it once, but your browser’s no counts."), back
        return _("It is neither stored nor read."), []
    if item.id in standing.granted:
        return _("You allowed it."), back
    if item.id in standing.refused:
        return _("You refused it. It is neither stored nor read."), [("grant", _("Allow it"))]
    unanswered = _("You have not answered. It is neither stored nor read.")
    return unanswered, [("refuse", _("No")), ("grant", _("Yes"))]


def _asked(view: Edition, card: Card, item: Item, policy: str | None, state: str | None = None) -> str:
    title = _html.words(card.title)
    lines = [f'<div class="policy-asked">\n<h3 id="{card.id}">{title}</h3>']
    if state:
        lines.append(f'<p class="policy-state">{escape(state)}</p>')
    lines.append(_html.facts(card.facts))
    if policy:
        more = escape(view.language.gettext("More about it"))
        address = escape(f"{policy.partition('#')[0]}#item-{item.id}")
        lines.append(f'<p><a href="{address}" aria-describedby="{card.id}">{more}</a></p>')
    return "\n".join([*lines, "</div>"])


def _one_by_one(view: Edition, asks: Question, items: tuple[Item, ...], action: str, hidden: str) -> str:
    """A form of its own: whoever ticks and presses Enter says what is ticked, and not no."""
    _ = view.language.gettext
    ticks = "\n".join(
        f'<label class="policy-tick"><input type="checkbox" name="item" value="{escape(item.id)}"> '
        f"{_html.words(card.title)}</label>"
        for card, item in zip(asks.cards, items, strict=True)
    )
    legend, allow = escape(_("Tick what you allow")), _("Allow what I ticked")
    fields = f"<fieldset>\n<legend>{legend}</legend>\n{ticks}\n</fieldset>\n{_button('choose', allow)}"
    summary = escape(_("Choose one by one"))
    return f"<details>\n<summary>{summary}</summary>\n{_form(action, hidden, fields)}\n</details>"


def _answers(asks: Question) -> str:
    described = "cookie-gate-heading"
    return _button("refuse", asks.refuse, described) + _button("grant", asks.grant, described)


def _button(act: str, text: str, described: str | None = None) -> str:
    describes = f' aria-describedby="{described}"' if described else ""
    return f'<button class="policy-answer" name="act" value="{act}"{describes}>{escape(text)}</button>'


def _form(action: str, hidden: str, inside: str) -> str:
    """Without what browsers would fill in from an earlier visit."""
    return (
        f'<form method="post" action="{escape(action)}" autocomplete="off">\n{hidden}\n'
        f'<div class="policy-answers">{inside}</div>\n</form>'
    )


def _hidden(view: Edition, items: tuple[Item, ...], back: str) -> str:
    return hidden(
        ("version", view.policy.version),
        *(("shown", item.id) for item in items),
        ("language", view.language.code),
        ("back", back),
    )


def hidden(*fields: tuple[str, str]) -> str:
    """What a form sends along."""
    return "\n".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in fields)
