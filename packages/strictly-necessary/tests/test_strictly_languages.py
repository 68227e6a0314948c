"""The page in English, German and French: complete, in nobody else's language, and escaped in each."""

import datetime as dt
import gettext
import importlib.machinery
import importlib.util
import io
import json
import re
import runpy
import shutil
import subprocess
import sys
from dataclasses import replace
from html import unescape
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from babel.messages.pofile import read_po

from strictly_necessary import Category, Declaration, Jurisdiction, Kind, Lifetime, Override, SetBy, load
from strictly_necessary.consent import Choice, standing
from strictly_necessary.page import (
    gate_text,
    heading,
    preferred_language,
    render_atom,
    render_changes_html,
    render_consents_html,
    render_gate_html,
    render_html,
    render_items_html,
    render_json,
    render_languages_html,
    render_markdown,
    render_news_html,
    render_page,
    render_third_parties_html,
    render_versions_html,
    well_known,
)
from strictly_necessary.versions import History

PACKAGE = Path(__file__).parent.parent
LOCALES = PACKAGE / "src" / "strictly_necessary" / "locales"
CHANGES = runpy.run_path(str(Path(__file__).parent / "changes.py"))
LOADED = load(Path(__file__).parent / "languages.toml")
RECIPIENTS = ("Tally GmbH", "Abacus SARL", "Sums Ltd")
DECLARATION = replace(
    LOADED,
    items=tuple(replace(item, recipients=RECIPIENTS) if item.id == "guess" else item for item in LOADED.items),
)
LANGUAGES = DECLARATION.policy.languages
RENDERERS = (render_html, render_items_html, render_third_parties_html, render_markdown, render_json, render_page)
SAME_EVERYWHERE = {"Name", "Cookie", "Service worker", "Contact", "Pages", "small, large", "·\u00a0Version\u00a07"}


def script() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("catalogues", str(PACKAGE / "scripts" / "catalogues"))
    spec = importlib.util.spec_from_loader("catalogues", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def messages(language: str) -> list[Any]:
    with (LOCALES / language / "LC_MESSAGES" / "strictly_necessary.po").open("rb") as stream:
        return [message for message in read_po(stream, locale=language) if message.id]


def text_of(html: str) -> str:
    return re.sub(r"[ \n]+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)))


def lines_of(language: str, declaration: Declaration) -> set[str]:
    """What stands between two tags: headings, terms, sentences. Without what is to be read letter by letter."""
    html = re.sub(r"<(code|a|span)\b.*?</\1>", "", render_html(declaration, language=language))
    return {line.strip() for line in re.split(r"<[^>]+>", html) if re.search(r"[A-Za-z]{3}", line)}


def test_the_catalogues_are_those_of_the_source() -> None:
    program = [sys.executable, str(PACKAGE / "scripts" / "catalogues"), "check"]
    result = subprocess.run(program, capture_output=True, encoding="utf-8", check=False)
    assert (result.returncode, result.stdout) == (0, "The catalogues are complete.\n")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            lambda at: at.append("page/_html.py", '\n_ = str\n_("A new sentence.")\n'),
            "run scripts/catalogues extract",
        ),
        (lambda at: at.swap("de", 'msgstr "Kurz gesagt"', 'msgstr ""'), "de: not translated: 'In short'"),
        (
            lambda at: at.swap("de", "{provider} (wir", "{anbieter} (wir"),
            "de: other placeholders: '{provider} (first",
        ),
        (
            lambda at: at.swap("fr", "{number} jours", "{number jours"),
            "fr: other placeholders: ('At most {number} day.",
        ),
        (lambda at: at.swap("fr", 'msgid "In short"', '#, fuzzy\nmsgid "In short"'), "fr: fuzzy: 'In short'"),
        (lambda at: at.swap("fr", 'msgstr "En bref"', 'msgstr "En somme"'), "fr: the .mo file is not that of the .po"),
        (
            lambda at: at.swap("de", 'msgid "In short"', 'msgid "In brief"'),
            "de: the .po file is not up to the template",
        ),
    ],
)
def test_a_catalogue_that_is_not_complete_is_told(tmp_path: Path, change: Any, complaint: str) -> None:
    source = tmp_path / "strictly_necessary"
    shutil.copytree(PACKAGE / "src" / "strictly_necessary", source, ignore=shutil.ignore_patterns("__pycache__"))
    catalogues = script().Catalogues(source)
    assert list(catalogues.problems()) == []

    class At:
        def append(self, name: str, text: str) -> None:
            (source / name).write_text((source / name).read_text(encoding="utf-8") + text, encoding="utf-8")

        def swap(self, language: str, old: str, new: str) -> None:
            before = catalogues.po(language).read_text(encoding="utf-8")
            assert old in before
            catalogues.po(language).write_text(before.replace(old, new), encoding="utf-8")

    change(At())
    assert any(complaint in problem for problem in catalogues.problems()), list(catalogues.problems())


@pytest.mark.parametrize("language", ["de", "fr"])
def test_what_is_installed_has_every_text(language: str) -> None:
    """Read as the page reads it, with the standard library alone."""
    with (LOCALES / language / "LC_MESSAGES" / "strictly_necessary.mo").open("rb") as stream:
        catalogue = gettext.GNUTranslations(stream)
    assert len(messages(language)) > 130
    for message in messages(language):
        if isinstance(message.id, str):
            assert catalogue.gettext(message.id) == message.string
        else:
            assert [catalogue.ngettext(message.id[0], message.id[1], number) for number in (1, 5)] == list(
                message.string
            )


def csp(directive: str, value: str) -> Override:
    reasons = {"de": {"reason": "Ein Grund."}, "fr": {"reason": "Une raison."}}
    return Override("content-security-policy", value, "A reason.", directive, translations=reasons)


def with_category(category: Category, *, without: str = "") -> Declaration:
    """The same, but what was typed is for something else."""
    changed = tuple(
        replace(item, purposes=tuple(replace(purpose, category=category) for purpose in item.purposes))
        if item.id == "form"
        else item
        for item in DECLARATION.items
        if item.id != without
    )
    return replace(DECLARATION, items=changed)


OTHERWISE = {
    "others embedded": replace(
        DECLARATION,
        overrides=(csp("script-src", "'self' https://pay.example.com"),),
        third_parties=(*DECLARATION.third_parties, replace(DECLARATION.third_parties[0], host="other.example.com")),
    ),
    "anybody embedded": replace(DECLARATION, overrides=(csp("img-src", "https:"),)),
    "advertising": replace(DECLARATION, overrides=(replace(csp("browsing-topics", "*"), name="permissions-policy"),)),
    "nothing kept": replace(DECLARATION, items=()),
    "nothing kept, others embedded": replace(DECLARATION, items=(), overrides=(csp("frame-src", "*"),)),
    "nothing counted": replace(DECLARATION, items=tuple(each for each in DECLARATION.items if each.id != "visits")),
    "nothing counted, in the EU": replace(
        DECLARATION,
        policy=replace(DECLARATION.policy, jurisdictions=(Jurisdiction.EU,), terms=None),
        items=tuple(each for each in DECLARATION.items if each.id not in {"visits", "guess"}),
    ),
    "an answer, in the EU": replace(
        with_category(Category.CONSENT_CHOICE, without="visits"),
        policy=replace(DECLARATION.policy, privacy_policy=None, terms="/terms"),
    ),
    "other kinds": replace(
        DECLARATION,
        items=tuple(
            replace(DECLARATION.item("form"), id=kind.value, kind=kind, set_by=SetBy.SCRIPT, http_only=False)
            for kind in Kind
        ),
    ),
    "cookies that are not for the server": replace(
        DECLARATION,
        items=tuple(
            replace(
                DECLARATION.item("session"), id=f"session-{hidden}", readable_by_application=False, http_only=hidden
            )
            for hidden in (True, False)
        ),
    ),
    "only visits": replace(DECLARATION, items=tuple(each for each in DECLARATION.items if each.id == "visits")),
    "for others": replace(
        DECLARATION,
        items=tuple(replace(each, recipients=RECIPIENTS if each.id == "visits" else ()) for each in DECLARATION.items),
    ),
    "nobody else": replace(DECLARATION, third_parties=()),
    "an answer": with_category(Category.CONSENT_CHOICE),
    "a player": with_category(Category.MULTIMEDIA_PLAYER),
    "a feature": with_category(Category.SERVICE),
    "statistics": with_category(Category.ANALYTICS),
    "removed on the site": replace(
        DECLARATION,
        items=tuple(
            replace(
                each,
                removal="Choose System.",
                translations={
                    "de": {**each.translations["de"], "removal": "Wählen Sie System."},
                    "fr": {**each.translations["fr"], "removal": "Choisissez System."},
                },
            )
            for each in DECLARATION.items
        ),
    ),
}
"""Declarations of which the page says what it does not say of the one above."""


@pytest.mark.parametrize("declaration", [DECLARATION, *OTHERWISE.values()], ids=["as it is", *OTHERWISE])
@pytest.mark.parametrize("language", ["de", "fr"])
def test_no_english_is_left_over(language: str, declaration: Declaration) -> None:
    names = {item.provider for item in declaration.items} | {"Chrome:", "Safari:", "Firefox:", "Edge:"}
    assert lines_of("en", declaration) & lines_of(language, declaration) - names <= SAME_EVERYWHERE


def asked(language: str) -> list[str]:
    """What people are asked and told, wherever something needs consent."""
    asking, cases = CHANGES["NEW"], CHANGES["CASES"]
    history = History.of([CHANGES["OLD"], replace(asking, policy=replace(asking.policy, summary=None))])
    now = dt.datetime(2026, 12, 24, tzinfo=dt.UTC)
    choices = [None, Choice("8", frozenset({"visits"}), frozenset({"greeting"}))]
    stands = [
        standing(history, history.versions[1], now, choice=each, signal=signal)
        for each in choices
        for signal in (False, True)
    ]
    one = replace(stands[0], open=stands[0].open[:1])
    address = "/somewhere"
    asks = [render_gate_html(each, back="/", language=language, policy=address) for each in (*stands, one)]
    asks += [gate_text(each, [item.id for item in each.open], language=language) for each in (*stands, one)]
    asks += [render_consents_html(each, back="/", language=language) for each in stands]
    told = [render_changes_html(case.version, case.previous, language=language) for case in cases.values()]
    told.append(render_changes_html(history.versions[0], None, language=language))
    told.append(
        render_news_html([cases["longer"].version], back="/", changes=address, language=language, acknowledges=True)
    )
    for moment in (now, now.replace(year=2020)):
        told.append(render_versions_html(history, {}, moment, language=language))
        told.append(render_atom(history, moment, page=address, address=str, language=language))
    for each in (asking, replace(asking, items=asking.items[-2:])):
        told.append(render_html(each, language=language, changes=address, scheduled=history.versions[1]))
        told.append(render_html(each, language=language, consent=address))
    return [unescape(re.sub(r"<[^>]+>", "\n", html)) for html in (*asks, *told)]


@pytest.mark.parametrize("language", ["de", "fr"])
def test_no_english_is_left_over_where_people_are_asked(language: str) -> None:
    english, told = ({line.strip() for text in asked(each) for line in text.splitlines()} for each in ("en", language))
    translated = {message.id for message in messages(language) if message.id != message.string}
    assert told & translated - {"1"} == set()
    assert [line for line in english & told if re.search(r" (the|of|is|to|and|you|it|now|by) ", line)] == []


def test_every_text_of_the_page_is_on_one_of_these_pages() -> None:
    """So that the tests above have seen it, and no text stays translated that nobody reads."""
    pages = [render_markdown(each, language="de").replace("\\", "") for each in (DECLARATION, *OTHERWISE.values())]
    seen, unseen = "\n".join([*pages, *(" ".join(text.split("\n")) for text in asked("de"))]), []
    for message in messages("de"):
        if isinstance(message.string, str) and len(message.string) > 30:
            parts = [part for part in re.split(r"\{\w+\}", message.string) if len(part) > 12]
            if not all(part.strip() in seen for part in parts):
                unseen.append(message.id)
    assert unseen == []


@pytest.mark.parametrize("language", ["de", "fr"])
def test_no_english_is_left_in_the_catalogue(language: str) -> None:
    for message in messages(language):
        if isinstance(message.id, str) and len(message.id) > 20:
            assert message.string != message.id


def test_each_language_says_the_same_things() -> None:
    shapes = {
        language: re.findall(
            r'<(h2|h3|dt|li|p)\b|id="([^"]+)"|href="([^"]+)"', render_html(DECLARATION, language=language)
        )
        for language in LANGUAGES
    }
    assert shapes["de"] == shapes["en"] == shapes["fr"]
    ids = [found[1] for found in shapes["de"] if found[1]]
    for section in (
        "summary",
        "meaning",
        "approach",
        "items",
        "absent",
        "third-parties",
        "control",
        "desktop",
        "headers",
    ):
        assert section in ids
    assert [f"item-{item.id}" for item in DECLARATION.items] == [
        each for each in ids if re.fullmatch("item-[a-z]+", each)
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_of_every_item_is_there_in_the_language(language: str) -> None:
    text, markdown = (
        text_of(render_html(DECLARATION, language=language)),
        render_markdown(DECLARATION, language=language),
    )
    for item in DECLARATION.in_language(language).items:
        told = [item.set_when, item.provider, *item.recipients, *(purpose.text for purpose in item.purposes)]
        told += [part for part in (item.title, item.information, item.reason, item.objection) if part]
        for part in told:
            assert part in text
            assert part in markdown.replace("\\", "")
    for party in DECLARATION.in_language(language).third_parties:
        for part in (party.name, party.feature, party.action, party.storage):
            assert part in text


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        (
            "en",
            [
                "Last updated: 1 August 2026 · Version 7",
                "At most 30 minutes.",
                "At most 30 days.",
                "At most 12 months. Each visit starts it anew.",
                "Tally GmbH, Abacus SARL and Sums Ltd",
                "We count visits. Do not count me.",
                "Quay Ltd (first party)",
                "Session only: it goes when you close the tab.",
                "Close the tab, or delete it",
                "Your browser also sends it to the other hosts of quay.example.",
                "Quay Sync and Quay Notes sign in",
                "Visits are counted, for Quay alone",
                "regulation 6 of the UK Privacy and Electronic Communications Regulations (PECR) and article 82",
            ],
        ),
        (
            "de",
            [
                "Zuletzt aktualisiert: 1. August 2026 · Version 7",
                "Höchstens 30 Minuten.",
                "Höchstens 30 Tage.",
                "Höchstens 12 Monate. Mit jedem Besuch beginnt die Frist von vorn.",
                "Tally GmbH, Abacus SARL und Sums Ltd",
                "Wir zählen Besuche. Nicht mitzählen.",
                "Quay Ltd (wir selbst)",
                "unbedingt erforderlich",
                "Quay Sync und Quay Notes melden sich",
                "Vorschrift 6 (Regulation 6) der britischen Privacy and Electronic Communications Regulations (PECR)",
            ],
        ),
        (
            "fr",
            [
                "Dernière mise à jour : 1er août 2026 · Version 7",
                "Au plus 30 minutes.",
                "Au plus 30 jours.",
                "Au plus 12 mois. Chaque visite fait repartir ce délai de zéro.",
                "Tally GmbH, Abacus SARL et Sums Ltd",
                "Nous comptons les visites. Ne pas me compter.",
                "Quay Ltd (éditeur du site)",
                "strictement nécessaire",
                "traceurs",
                "Quay Sync et Quay Notes se connectent",
                "l’article 82 de la loi Informatique et Libertés",
            ],
        ),
    ],
)
def test_the_words_are_those_of_the_language(language: str, sentences: list[str]) -> None:
    text = text_of(render_html(DECLARATION, language=language)).replace("\u00a0", " ").replace("\u202f", " ")
    for sentence in sentences:
        assert sentence in text


@pytest.mark.parametrize(
    ("life", "told"),
    [
        ("1 day", ["At most 1 day.", "Höchstens 1 Tag.", "Au plus 1 jour."]),
        ("2 days", ["At most 2 days.", "Höchstens 2 Tage.", "Au plus 2 jours."]),
        ("1 hour", ["At most 1 hour.", "Höchstens 1 Stunde.", "Au plus 1 heure."]),
        ("3 hours", ["At most 3 hours.", "Höchstens 3 Stunden.", "Au plus 3 heures."]),
        ("1 month", ["At most 1 month.", "Höchstens 1 Monat.", "Au plus 1 mois."]),
        ("1 minute", ["At most 1 minute.", "Höchstens 1 Minute.", "Au plus 1 minute."]),
    ],
)
def test_numbers_take_the_form_of_the_language(life: str, told: list[str]) -> None:
    items = tuple(replace(item, lifetime=Lifetime.parse(life), renewed=False) for item in DECLARATION.items)
    declaration = replace(DECLARATION, items=items)
    for language, sentence in zip(LANGUAGES, told, strict=True):
        assert f"<dd>{sentence}</dd>" in render_html(declaration, language=language)


def test_the_law_is_named_for_each_jurisdiction() -> None:
    items = tuple(item for item in DECLARATION.items if item.id != "visits")
    policy = replace(DECLARATION.policy, jurisdictions=tuple(Jurisdiction))
    declaration = replace(DECLARATION, policy=policy, items=items)
    german = text_of(render_html(declaration, language="de"))
    assert (
        "Artikel 5 Absatz 3 der ePrivacy-Richtlinie der EU (in Deutschland: § 25 Absatz 2 TDDDG), Vorschrift 6"
        in german
    )
    assert "l’article 5(3) de la directive ePrivacy" in text_of(render_html(declaration, language="fr"))


def test_french_spaces_do_not_break() -> None:
    for message in messages("fr"):
        for string in message.string if isinstance(message.string, tuple) else (message.string,):
            assert not re.search(r" [;:?!»]|« ", string), string


def test_why_a_header_is_another_is_told_in_each_language() -> None:
    for language, reason in (("en", "Partners may frame the player."), ("de", "Partner dürfen den Player einbetten.")):
        assert f"<dd>{reason}</dd>" in render_html(DECLARATION, language=language)


def test_each_fragment_says_its_language_when_it_is_given() -> None:
    for renderer in (render_html, render_items_html, render_third_parties_html):
        assert " lang=" not in renderer(DECLARATION)
        html = renderer(DECLARATION, language="fr")
        outer = re.findall(r'^<(?:p|section) class="policy-[^>]*>', html, re.MULTILINE)
        assert outer
        assert all(' lang="fr"' in tag for tag in outer)
    assert render_items_html(DECLARATION, language="fr") in render_page(DECLARATION, language="fr")
    assert '<html lang="fr">' in render_page(DECLARATION, language="fr")
    assert '<html lang="en">' in render_page(DECLARATION)


def test_without_a_language_the_page_is_in_the_declarations_own() -> None:
    german = DECLARATION.in_language("de")
    german = replace(german, policy=replace(german.policy, languages=("de",)))
    assert '<html lang="de">' in render_page(german)
    assert "# Cookie-Richtlinie von Quay" in render_markdown(german)
    assert json.loads(render_json(german))["language"] == "de"


def test_links_lead_to_the_other_languages() -> None:
    addresses = {"en": "/cookies/en", "de": "/cookies/de?a=1&b=2", "fr": "/cookies/fr"}
    links = render_languages_html(addresses, language="de")
    assert '<a href="/cookies/de?a=1&amp;b=2" hreflang="de" lang="de" aria-current="page">Deutsch</a>' in links
    assert '<a href="/cookies/fr" hreflang="fr" lang="fr">Français</a>' in links
    assert 'aria-label="Sprachen" lang="de"' in links
    page = render_page(DECLARATION, language="de", addresses=addresses)
    assert links in page
    assert '<link rel="alternate" hreflang="fr" href="/cookies/fr">' in page.partition("</head>")[0]
    assert "hreflang" not in render_page(DECLARATION, language="de")


def test_json_is_in_the_language_and_keeps_its_keys() -> None:
    documents = {language: json.loads(render_json(DECLARATION, language=language)) for language in LANGUAGES}
    for language, document in documents.items():
        assert document["language"] == language
        assert [sorted(item) for item in document["items"]] == [sorted(item) for item in documents["en"]["items"]]
        assert document["policy"] == documents["en"]["policy"]
        for one, other in zip(document["headers"], documents["en"]["headers"], strict=True):
            assert (one["reason"] == other["reason"]) == (language == "en")
            assert {**one, "reason": ""} == {**other, "reason": ""}
    by_id = {item["id"]: item for item in documents["de"]["items"]}
    assert by_id["session"]["purposes"] == [
        {"category": "authentication", "purpose": "Hält Sie angemeldet."},
        {"category": "security", "purpose": "Bindet jede Anfrage an Sie."},
    ]
    assert by_id["guess"]["lifetime_in_words"] == "Höchstens 30 Minuten."
    assert by_id["guess"]["lifetime_seconds"] == 1800
    assert by_id["visits"]["objection"] == "Drücken Sie unten „Nicht mitzählen“."
    assert by_id["size"]["renewed"] is True
    assert by_id["session"]["first_party"] is True
    assert by_id["route"]["first_party"] is False
    assert by_id["guess"]["recipients"] == ["Tally GmbH", "Abacus SARL", "Sums Ltd"]
    assert documents["en"]["headers"][0] == {
        "name": "content-security-policy",
        "directive": "img-src",
        "value": "'self' https://media.quay.example",
        "paths": ["/works/*"],
        "reason": "Pictures lie on a host of ours.",
    }


def test_the_document_for_machines_is_made_once() -> None:
    assert well_known(DECLARATION) == render_json(DECLARATION).encode()
    assert well_known(DECLARATION) is well_known(DECLARATION)


@pytest.mark.parametrize("renderer", RENDERERS)
def test_a_language_that_we_have_not_is_refused_with_advice(renderer: Any) -> None:
    with pytest.raises(ValueError, match=r"not translated into 'nl', only into en, de, fr: give a catalogue"):
        renderer(DECLARATION, language="nl")
    english = replace(DECLARATION, policy=replace(DECLARATION.policy, languages=("en",)))
    with pytest.raises(ValueError, match=r"declaration is not in 'de', only in en: add it to languages"):
        renderer(english, language="de")


def test_anybody_brings_a_language_of_their_own(tmp_path: Path) -> None:
    """From the template to the page, as docs/how-to/translate-the-page.md says."""
    source = tmp_path / "strictly_necessary"
    shutil.copytree(PACKAGE / "src" / "strictly_necessary", source, ignore=shutil.ignore_patterns("__pycache__"))
    catalogues = script().Catalogues(source)
    catalogues.po("nl").parent.mkdir(parents=True)
    catalogues.po("nl").write_bytes(catalogues.updated("nl"))
    text = catalogues.po("nl").read_text(encoding="utf-8")
    text = text.replace('msgid "In short"\nmsgstr ""', 'msgid "In short"\nmsgstr "Kort gezegd"')
    catalogues.po("nl").write_text(text, encoding="utf-8")
    dutch = gettext.GNUTranslations(io.BytesIO(catalogues.compiled("nl")))
    policy = replace(DECLARATION.policy, languages=("en", "nl"))
    html = render_html(replace(DECLARATION, policy=policy), language="nl", catalogue=dutch)
    assert "Kort gezegd" in html
    assert "How to control cookies" in html, "what is not translated stays English"
    assert heading(language="nl", catalogue=dutch) == "Cookie policy"


def test_a_variety_of_a_language_takes_its_catalogue() -> None:
    policy = replace(DECLARATION.policy, languages=("en", "de-AT"))
    page = render_page(replace(DECLARATION, policy=policy), language="de-AT")
    assert '<html lang="de-AT">' in page
    assert "Kurz gesagt" in page


def test_the_heading_is_translated() -> None:
    assert [heading(language=language) for language in LANGUAGES] == [
        "Cookie policy",
        "Cookie-Richtlinie",
        "Politique relative aux cookies",
    ]
    assert heading() == "Cookie policy"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("DE-ch, en;q=0.5", "de"),
        ("fr-CA;q=0.8, de;q=0.9", "de"),
        ("fr-CA;q=0.9, de;q=0.8", "fr"),
        ("en;q=0.1, fr;q=0.2", "fr"),
        ("nl, pl;q=0.9", "en"),
        ("nl, fr;q=0.001", "fr"),
        ("*", "en"),
        ("*, en;q=0", "de"),
        ("de;q=0, *;q=0.5, en;q=0", "fr"),
        ("en;q=0, de;q=0, fr;q=0", "en"),
        ("de;q=0", "en"),
        ("fr ; q=1.000 , de ;q=0.999", "fr"),
        ("de;q=2, fr;q=0.5", "fr"),
        ("de;q=x, ;;, fr", "fr"),
        ("d\u00e9, -, fr-", "en"),
        ("de, fr", "de"),
        ("fr, de", "fr"),
    ],
)
def test_the_language_that_the_reader_prefers(header: str, language: str) -> None:
    assert preferred_language(header, LANGUAGES) == language


def test_a_longer_offer_serves_a_shorter_wish() -> None:
    assert preferred_language("pt", ["en", "pt-BR"]) == "pt-BR"
    assert preferred_language("pt-PT", ["en", "pt-BR"]) == "pt-BR"
    assert preferred_language("fre", ["en", "fr"]) == "en"
