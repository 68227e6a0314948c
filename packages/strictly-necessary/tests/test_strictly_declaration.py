"""Reading a declaration: what is accepted, and where exactly a fault is."""

import datetime as dt
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from strictly_necessary import (
    Category,
    CookieSyntaxError,
    Declaration,
    DeclarationError,
    Jurisdiction,
    Kind,
    Lifetime,
    SameSite,
    SetBy,
    check,
    delete_cookie,
    load,
    set_cookie,
)

POLICY = """\
[policy]
service = "Example"
operator = "Example Ltd"
contact = "privacy@example.org"
version = "3"
last_updated = 2026-11-23
jurisdictions = ["EU", "UK"]
"""
COOKIE = """
[[items]]
id = "session"
name = "__Host-session"
kind = "cookie"
category = "authentication"
purpose = "Keeps you signed in."
provider = "Example Ltd"
lifetime = "session"
set_when = "You sign in."
set_by = "server"
readable_by_application = true
http_only = true
secure = true
same_site = "Lax"
path = "/"
"""
LOCAL = """
[[items]]
id = "theme"
name = "theme"
kind = "local"
category = "preference"
purpose = "Remembers your theme."
provider = "Example Ltd"
lifetime = "persistent"
set_when = "You choose a theme."
set_by = "script"
script = "/static/theme.js"
values = ["dark", "light"]
requires_action = true
information = "Kept in this browser."
removal = "Choose System."
"""
THIRD_PARTY = """
[[third_parties]]
name = "Payments Inc"
host = "pay.example.com"
feature = "Paying"
action = "You press Pay."
storage = "Its own session cookie."
privacy = "https://pay.example.com/privacy"
"""
WHOLE = POLICY + COOKIE + LOCAL + THIRD_PARTY


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "policy.toml"


def found(file: Path, text: str) -> list[tuple[int, int, str]]:
    file.write_text(text, encoding="utf-8")
    return [(finding.line, finding.column, finding.code) for finding in check(file)]


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def loaded(file: Path, text: str = WHOLE) -> Declaration:
    file.write_text(text, encoding="utf-8")
    return load(file)


def test_a_whole_declaration_is_read(file: Path) -> None:
    declaration = loaded(file)
    assert declaration.policy.last_updated == dt.date(2026, 11, 23)
    assert declaration.policy.jurisdictions == (Jurisdiction.EU, Jurisdiction.UK)
    session, theme = declaration.items
    assert (session.kind, session.categories, session.set_by) == (
        Kind.COOKIE,
        frozenset({Category.AUTHENTICATION}),
        SetBy.SERVER,
    )
    assert (session.http_only, session.secure, session.same_site, session.path) == (True, True, SameSite.LAX, "/")
    assert theme.values == ("dark", "light")
    assert theme.lifetime.is_persistent
    assert theme.script == "/static/theme.js"
    assert declaration.third_parties[0].host == "pay.example.com"
    assert declaration.item("theme") is theme
    assert declaration.cookies == (session,)
    with pytest.raises(KeyError, match="no item has the id 'nobody'; the ids are: session, theme"):
        declaration.item("nobody")


def test_names_are_matched_by_kind_and_pattern(file: Path) -> None:
    declaration = loaded(file, WHOLE.replace('"__Host-session"', '"AWSALB*"'))
    assert declaration.match("cookie", "AWSALBCORS") is declaration.item("session")
    assert declaration.match(Kind.COOKIE, "AWSALB") is declaration.item("session")
    assert declaration.match("cookie", "awsalb") is None
    assert declaration.match("cookie", "theme") is None
    assert declaration.match("local", "theme") is declaration.item("theme")
    assert declaration.match("session", "theme") is None
    assert declaration.match("local", "theme2") is None


def test_a_faulty_declaration_is_never_loaded(file: Path) -> None:
    file.write_text(WHOLE.replace('"session"\nset_when', '"for ever"\nset_when'), encoding="utf-8")
    with pytest.raises(DeclarationError) as caught:
        load(file)
    (finding,) = caught.value.findings
    assert str(finding) == f"{file}:{line_of(WHOLE, 'lifetime')}:1 SN011 lifetime is 'for ever'"
    assert "30 days" in finding.fix


@pytest.mark.parametrize(
    ("old", "new", "code", "at"),
    [
        ("", "more = 1\n", "SN003", "[policy]"),
        ('service = "Example"', 'servise = "Example"', "SN003", "service"),
        ('operator = "Example Ltd"\n', "", "SN004", "[policy]"),
        ('version = "3"', "version = 3", "SN005", "version"),
        ("2026-11-23", "2026-11-23T10:00:00", "SN005", "last_updated"),
        ('["EU", "UK"]', '["EU", "US"]', "SN006", "jurisdictions"),
        ('["EU", "UK"]', '["EU", "EU"]', "SN008", "jurisdictions"),
        ('["EU", "UK"]', "[]", "SN005", "jurisdictions"),
        ('"privacy@example.org"', '"call us"', "SN006", "contact"),
        ('"Keeps you signed in."', '"  "', "SN006", "purpose"),
        ('"Keeps you signed in."', '"a\\u0000b"', "SN006", "purpose"),
        ('"Keeps you signed in."', f'"{"x" * 2001}"', "SN006", "purpose"),
        ('id = "session"', 'id = "Session 1"', "SN006", 'id = "session"'),
        ('kind = "cookie"', 'kind = "biscuit"', "SN006", 'kind = "cookie"'),
        ('same_site = "Lax"', 'same_site = "lax"', "SN006", "same_site"),
        ("secure = true", 'secure = "yes"', "SN005", "secure"),
        ('path = "/"', 'path = "x"', "SN006", 'path = "/"'),
        ('path = "/"', 'path = "/"\ndomain = ".example.org"', "SN006", "[[items]]"),
        ('path = "/"', 'path = "/"\nscript = "/x.js"', "SN012", "[[items]]"),
        ('"__Host-session"', '"a b"', "SN010", 'name = "__Host-session"'),
        ('"__Host-session"', '"a=b"', "SN010", 'name = "__Host-session"'),
        ('"__Host-session"', '"*"', "SN010", 'name = "__Host-session"'),
        ('"__Host-session"', '"a*b"', "SN010", 'name = "__Host-session"'),
        ('lifetime = "session"', 'lifetime = "0 days"', "SN011", 'lifetime = "session"'),
        ('lifetime = "session"', 'lifetime = "2 years"', "SN011", 'lifetime = "session"'),
        ('set_by = "script"\nscript = "/static/theme.js"', 'set_by = "server"', "SN006", 'set_by = "script"'),
        ('information = "Kept', 'http_only = true\ninformation = "Kept', "SN012", "information"),
        ('host = "pay.example.com"', 'host = "https://pay.example.com"', "SN006", 'host = "pay'),
        ('"https://pay.example.com/privacy"', '"javascript:alert(1)"', "SN006", "privacy = "),
    ],
)
def test_each_fault_is_found_at_its_line(file: Path, old: str, new: str, code: str, at: str) -> None:
    changed = WHOLE.replace(old, new, 1)
    assert changed != WHOLE
    findings = found(file, changed)
    assert code in {found_code for _, _, found_code in findings}
    line = next(line for line, _, found_code in findings if found_code == code)
    if at != "[[items]]":
        assert line == line_of(WHOLE, at)
    else:
        assert line == line_of(changed, new.splitlines()[-1])


def test_a_misspelt_key_is_told_its_neighbour(file: Path) -> None:
    file.write_text(WHOLE.replace("lifetime =", "lifetimes =", 1), encoding="utf-8")
    assert [(finding.code, finding.fix) for finding in check(file)] == [
        ("SN004", 'add lifetime = "30 days"'),
        ("SN003", "did you mean lifetime?"),
    ]


def test_the_same_id_and_overlapping_names_are_found(file: Path) -> None:
    again = COOKIE.replace('"__Host-session"', '"__Host-other"')
    assert [code for _, _, code in found(file, WHOLE + again)] == ["SN008"]
    overlapping = COOKIE.replace('"session"', '"second"', 1).replace('"__Host-session"', '"__Host-se*"')
    assert [code for _, _, code in found(file, WHOLE + overlapping)] == ["SN009"]
    line = line_of(WHOLE + overlapping, '"__Host-se*"')
    assert found(file, WHOLE + overlapping) == [(line, 1, "SN009")]
    wider = overlapping.replace('"second"', '"third"').replace("__Host-se*", "__Host-*")
    assert [code for _, _, code in found(file, POLICY + overlapping + wider)] == ["SN009"]
    other_kind = LOCAL.replace('"theme"', '"copy"', 1).replace('name = "theme"', 'name = "__Host-session"')
    assert found(file, WHOLE + other_kind) == []


def test_syntax_errors_have_their_place(file: Path) -> None:
    assert found(file, "[policy]\nservice = \n") == [(2, 11, "SN001")]
    assert found(file, "[policy]\nservice = [1,\n")[0][2] == "SN001"
    file.write_bytes(b'[policy]\nservice = "\xff"\n')
    assert [(f.line, f.column, f.code) for f in check(file)] == [(2, 12, "SN002")]
    assert found(file, "x = " + "9" * 5000)[0][2] == "SN001"


def test_a_missing_table_is_found(file: Path) -> None:
    assert found(file, "") == [(1, 1, "SN004")]
    assert [code for _, _, code in found(file, POLICY.replace("[policy]", "items = 1\n[policy]"))] == ["SN005"]


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        check(tmp_path / "nothing.toml")


def test_lines_are_right_after_values_of_several_lines(file: Path) -> None:
    text = WHOLE.replace(
        'jurisdictions = ["EU", "UK"]',
        'jurisdictions = [\n  "EU", # ] [[items]]\n  "UK",\n]\nterms = """/terms"""\n'
        'desktop_apps = [\n  "a\\"]", "\'", # "\n  """b]""",\n]',
    ).replace('"Lax"', '"Bad"')
    assert found(file, text) == [(line_of(text, "same_site"), 1, "SN006")]
    crlf = text.replace("\n", "\r\n")
    file.write_bytes(crlf.encode())
    assert [(f.line, f.column, f.code) for f in check(file)] == [(line_of(text, "same_site"), 1, "SN006")]


def test_text_that_looks_like_keys_inside_a_string_is_no_key(file: Path) -> None:
    text = WHOLE.replace('"3"', '"""\\\n[[items]]\\\nlifetime = 3\\\n"""').replace(
        '"session"\nset_when', '"x"\nset_when'
    )
    assert found(file, text) == [(line_of(text, 'lifetime = "x"'), 1, "SN011")]


@given(st.binary())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_checked_without_an_error(file: Path, raw: bytes) -> None:
    file.write_bytes(raw)
    assert check(file)


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_declaration_with_pieces_changed_is_checked_without_an_error(file: Path, data: st.DataObject) -> None:
    lines = WHOLE.splitlines(keepends=True)
    junk = st.sampled_from(
        ["x = 1\n", "[[items]]\n", "[items]\n", "[policy.x]\n", "kind = []\n", "name = {a = 1}\n", "id.a = 1\n"]
    )
    for _ in range(data.draw(st.integers(1, 4))):
        lines[data.draw(st.integers(0, len(lines) - 1))] = data.draw(junk)
    file.write_text("".join(lines), encoding="utf-8")
    for finding in check(file):
        assert 1 <= finding.line <= len(lines) + 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("session", None),
        ("persistent", None),
        ("1 minute", 60),
        ("2 hours", 7200),
        ("30 days", 2592000),
        ("1 month", 2592000),
    ],
)
def test_lifetimes_in_seconds(text: str, seconds: int | None) -> None:
    assert Lifetime.parse(text).seconds == seconds


def test_set_cookie_has_exactly_the_declared_attributes(file: Path) -> None:
    session = loaded(file).item("session")
    assert set_cookie(session, "abc") == "__Host-session=abc; Path=/; Secure; HttpOnly; SameSite=Lax"
    assert delete_cookie(session) == "__Host-session=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax"


def test_set_cookie_has_every_other_attribute_too(file: Path) -> None:
    text = COOKIE.replace("__Host-session", "session").replace('path = "/"', 'path = "/a"\ndomain = "example.org"')
    text = text.replace('lifetime = "session"', 'lifetime = "1 hour"\npartitioned = true')
    text = text.replace("authentication", "user-input")
    item = loaded(file, POLICY + text.replace("http_only = true", "http_only = false").replace("Lax", "None")).items[0]
    attributes = "Path=/a; Domain=example.org; Max-Age=3600; Secure; SameSite=None; Partitioned"
    assert set_cookie(item, "v", 3600) == f"session=v; {attributes}"
    with pytest.raises(ValueError, match="longer than declared: 1 hour"):
        set_cookie(item, "v", 3601)
    with pytest.raises(ValueError, match="at least one second"):
        set_cookie(item, "v", 0)


def test_set_cookie_refuses_what_was_not_declared(file: Path) -> None:
    declaration = loaded(file)
    session = declaration.item("session")
    with pytest.raises(ValueError, match="end with the browser session"):
        set_cookie(session, "abc", 60)
    for value in ("a; Domain=evil", "a\r\nSet-Cookie: b=1", "é", "a b"):
        with pytest.raises(CookieSyntaxError):
            set_cookie(session, value)
    with pytest.raises(ValueError, match=r'"theme" is no cookie, but of kind local; its script .*: /static/theme\.js'):
        set_cookie(declaration.item("theme"), "dark")
    pattern = loaded(file, WHOLE.replace("__Host-session", "__Host-s*")).item("session")
    with pytest.raises(ValueError, match=r"begins with '__Host-s', and not one; .* name='__Host-sx'"):
        set_cookie(pattern, "x")
    with pytest.raises(ValueError, match="begins with '__Host-s'"):
        delete_cookie(pattern)
    assert set_cookie(replace(pattern, name="__Host-sx"), "1").startswith("__Host-sx=1;")


def test_set_cookie_refuses_a_value_that_was_not_declared(file: Path) -> None:
    item = loaded(file, WHOLE.replace('path = "/"', 'path = "/"\nvalues = ["a", "b"]')).item("session")
    assert set_cookie(item, "a").startswith("__Host-session=a;")
    with pytest.raises(ValueError, match="may not hold this value"):
        set_cookie(item, "c")


GERMAN = POLICY + 'languages = ["en", "de"]\n'
COOKIE_TEXTS = """
[items.translations.de]
purpose = "Hält Sie angemeldet."
set_when = "Sie melden sich an."
"""
LOCAL_TEXTS = """
[items.translations.de]
purpose = "Merkt sich Ihr Farbschema."
set_when = "Sie wählen ein Farbschema."
information = "Bleibt in diesem Browser."
removal = "Wählen Sie „System“."
provider = "Beispiel GmbH"
"""
THIRD_PARTY_TEXTS = """
[third_parties.translations.de]
feature = "Bezahlen"
action = "Sie drücken auf „Bezahlen“."
storage = "Ein eigenes Sitzungscookie."
"""
TRANSLATED = GERMAN + COOKIE + COOKIE_TEXTS + LOCAL + LOCAL_TEXTS + THIRD_PARTY + THIRD_PARTY_TEXTS


def test_a_translated_declaration_is_read_in_each_of_its_languages(file: Path) -> None:
    declaration = loaded(file, TRANSLATED)
    german = declaration.in_language("de")
    assert german.item("session").purposes[0].text == "Hält Sie angemeldet."
    assert german.item("session").set_when == "Sie melden sich an."
    assert german.item("session").provider == "Example Ltd"
    assert german.item("theme").information == "Bleibt in diesem Browser."
    assert german.item("theme").provider == "Beispiel GmbH"
    assert german.third_parties[0].feature == "Bezahlen"
    assert german.third_parties[0].name == "Payments Inc"
    assert german.policy == declaration.policy
    english = declaration.in_language("en")
    assert english.items == declaration.items
    assert english.item("session").purposes[0].text == "Keeps you signed in."
    with pytest.raises(ValueError, match="not in 'fr', only in en, de"):
        declaration.in_language("fr")


def test_an_item_says_how_it_is_removed_on_the_site_itself(file: Path) -> None:
    declaration = loaded(file, TRANSLATED)
    assert declaration.item("theme").removal == "Choose System."
    assert declaration.in_language("de").item("theme").removal == "Wählen Sie „System“."
    assert declaration.item("session").removal is None
    assert [code for _, _, code in found(file, TRANSLATED.replace('"Choose System."', '""'))] == ["SN006"]
    untranslated = TRANSLATED.replace('removal = "Wählen Sie „System“."\n', "")
    line = untranslated[: untranslated.rindex("[items.translations.de]")].count("\n") + 1
    assert found(file, untranslated) == [(line, 1, "SN013")]


def test_without_languages_the_texts_are_english(file: Path) -> None:
    assert loaded(file).policy.languages == ("en",)
    assert loaded(file, WHOLE.replace("[policy]", '[policy]\nlanguages = ["de"]')).policy.languages == ("de",)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (COOKIE_TEXTS, "", [("SN013", "[[items]]"), ("SN013", "[[items]]")]),
        ('set_when = "Sie melden sich an."\n', "", [("SN013", "[items.translations.de]")]),
        ('storage = "Ein eigenes Sitzungscookie."\n', "", [("SN013", "[third_parties.translations.de]")]),
        ('information = "Bleibt', 'objection = "o"\ninformation = "Bleibt', [("SN012", "objection")]),
        ('information = "Bleibt', 'objective = "o"\ninformation = "Bleibt', [("SN003", "objective")]),
        ('"Hält Sie angemeldet."', '""', [("SN006", 'purpose = ""')]),
        ('"Hält Sie angemeldet."', "7", [("SN005", "purpose = 7")]),
        (
            "[items.translations.de]",
            "[items.translations.fr]",
            [("SN013", "[[items]]"), ("SN013", "[[items]]"), ("SN014", "[items.translations.fr]")],
        ),
        (
            'languages = ["en", "de"]',
            'languages = ["en"]',
            [("SN014", "[items.translations.de]")] * 2 + [("SN014", "[third_parties.translations.de]")],
        ),
        ('languages = ["en", "de"]', 'languages = ["en", "German"]', [("SN006", "languages")]),
        ('languages = ["en", "de"]', 'languages = ["en", "de", "de"]', [("SN008", "languages")]),
    ],
)
def test_a_translation_is_complete_and_in_a_language_of_the_policy(
    file: Path, old: str, new: str, expected: list[tuple[str, str]]
) -> None:
    changed = TRANSLATED.replace(old, new, 1)
    assert changed != TRANSLATED
    lines = changed.splitlines()
    told = [(code, lines[line - 1]) for line, _, code in found(file, changed)]
    for code, start in expected:
        assert any(code == each and text.startswith(start) for each, text in told), told
    if "German" not in new:
        assert len(told) == len(expected), told


def test_a_translation_says_what_is_missing_and_where_it_belongs(file: Path) -> None:
    file.write_text(TRANSLATED.replace(COOKIE_TEXTS, ""), encoding="utf-8")
    assert [(finding.message, finding.fix) for finding in check(file)] == [
        (f"{key} is not translated into de", "write it below [items.translations.de]")
        for key in ("purpose", "set_when")
    ]
    file.write_text(WHOLE.replace(COOKIE, COOKIE + COOKIE_TEXTS), encoding="utf-8")
    (finding,) = check(file)
    assert finding.message == "'de' is not a language to translate into"
    assert finding.fix == "add it to languages in [policy], or remove it; the languages are none"


def test_translations_may_stand_on_one_line(file: Path) -> None:
    one_line = 'translations = { de = { purpose = "p", set_when = "w" } }\n'
    declaration = loaded(file, GERMAN + COOKIE + one_line)
    assert declaration.in_language("de").item("session").purposes[0].text == "p"
    text = GERMAN + COOKIE + one_line.replace('"p"', "7")
    assert found(file, text) == [(line_of(text, "translations ="), 1, "SN005")]
    text = GERMAN + COOKIE + "translations = { de = 1 }\n"
    assert found(file, text) == [(line_of(text, "translations ="), 1, "SN005")]
    text = GERMAN + COOKIE + "translations = 1\n"
    assert "SN005" in [code for _, _, code in found(file, text)]


BOTH = """
[[items.purposes]]
category = "authentication"
purpose = "Keeps you signed in."

[[items.purposes]]
category = "security"
purpose = "Proves that a form is ours."
"""
SEVERAL = COOKIE.replace('category = "authentication"\npurpose = "Keeps you signed in."\n', "") + BOTH
INLINE = SEVERAL.replace(
    BOTH,
    'purposes = [\n  { category = "authentication", purpose = "a" },\n  { category = "security", purpose = "b" },\n]\n',
)


def test_an_item_may_have_several_purposes(file: Path) -> None:
    for text in (SEVERAL, INLINE):
        (item,) = loaded(file, POLICY + text).items
        assert [each.category for each in item.purposes] == [Category.AUTHENTICATION, Category.SECURITY]
        assert item.categories == {Category.AUTHENTICATION, Category.SECURITY}
    assert [each.text for each in loaded(file, POLICY + SEVERAL).items[0].purposes] == [
        "Keeps you signed in.",
        "Proves that a form is ours.",
    ]


def test_each_purpose_has_its_translations(file: Path) -> None:
    first, second = BOTH.strip().split("\n\n")
    texts = '\n[items.purposes.translations.de]\npurpose = "{}"\n\n'
    item = SEVERAL.replace(BOTH, "") + COOKIE_TEXTS.replace('purpose = "Hält Sie angemeldet."\n', "")
    whole = GERMAN + item + first + texts.format("eins") + second + texts.format("zwei")
    german = loaded(file, whole).in_language("de")
    assert [each.text for each in german.items[0].purposes] == ["eins", "zwei"]
    lacking = GERMAN + item + first + texts.format("eins") + second
    assert found(file, lacking) == [(line_of(lacking, second), 1, "SN013")]


@pytest.mark.parametrize(
    ("text", "code", "at"),
    [
        (SEVERAL.replace('"security"', '"safety"'), "SN006", 'category = "safety"'),
        (
            SEVERAL.replace('purpose = "Proves that a form is ours."\n', ""),
            "SN004",
            '[[items.purposes]]\ncategory = "security"',
        ),
        (SEVERAL.replace("Proves", "\\u0007"), "SN006", 'purpose = "\\u0007'),
        (SEVERAL + "more = 1\n", "SN003", "more"),
        (SEVERAL.replace('kind = "cookie"', 'kind = "cookie"\npurpose = "p"'), "SN012", 'purpose = "p"'),
        (
            SEVERAL.replace('kind = "cookie"', 'kind = "cookie"\ncategory = "security"'),
            "SN012",
            'category = "security"\nprovider',
        ),
        (INLINE.replace('"security"', '"safety"'), "SN006", "purposes = ["),
        (SEVERAL.replace(BOTH, "purposes = []\n"), "SN005", "purposes = []"),
        (SEVERAL.replace(BOTH, "purposes = [1]\n"), "SN005", "purposes = [1]"),
        (SEVERAL.replace(BOTH, "purposes = 1\n"), "SN005", "purposes = 1"),
        (SEVERAL.replace('"security"', '"analytics"'), "SN201", 'category = "analytics"'),
        (INLINE.replace('"security"', '"analytics"'), "SN201", "purposes = ["),
        (COOKIE.replace('"authentication"', '"analytics"'), "SN201", 'category = "analytics"'),
    ],
)
def test_a_fault_in_a_purpose_is_found_at_its_line(file: Path, text: str, code: str, at: str) -> None:
    whole = POLICY + text
    assert found(file, whole) == [(line_of(whole, at), 1, code)]
    assert found(file, POLICY + LOCAL + text) == [(line_of(POLICY + LOCAL + text, at), 1, code)]


def test_lists_of_texts_are_read(file: Path) -> None:
    more = 'recipients = ["Counting Ltd"]\nobjection = "Write to us."\nrenewed = true\n'
    text = (POLICY + LOCAL + more).replace("jurisdictions =", 'hosts = ["media.example.org"]\njurisdictions =')
    declaration = loaded(file, text)
    (item,) = declaration.items
    assert (item.recipients, item.objection, item.renewed) == (("Counting Ltd",), "Write to us.", True)
    assert declaration.policy.hosts == ("media.example.org",)
    for old, new, code in (
        ("renewed = true", 'renewed = "yes"', "SN005"),
        ('["Counting Ltd"]', '"Counting Ltd"', "SN005"),
        ('["Counting Ltd"]', "[]", "SN005"),
        ('["Counting Ltd"]', '["a", "a"]', "SN008"),
        ('["Counting Ltd"]', '["a", " "]', "SN005"),
        ('"media.example.org"', '"https://media.example.org"', "SN006"),
        ('"Write to us."', '""', "SN006"),
    ):
        changed = text.replace(old, new)
        told = found(file, changed)
        assert [code for _, _, code in told if code < "SN1"] == [code]
        assert told[0][0] == line_of(changed, new)


@pytest.mark.parametrize("character", ["\u00a0", "\u202f", "\u00ad", "\u200c", "\u200d", "„", "字", "\U0001f36a"])
def test_a_text_may_have_the_characters_of_any_language(file: Path, character: str) -> None:
    assert found(file, WHOLE.replace("Keeps you", f"Keeps{character}you")) == []


@pytest.mark.parametrize("character", ["\u0000", "\u001b", "\u007f", "\u0085", "\u2028", "\u202e", "\u2066", "\ufeff"])
def test_a_text_has_nothing_that_hides_or_turns_another(file: Path, character: str) -> None:
    escaped = f"\\u{ord(character):04x}"
    assert [code for _, _, code in found(file, WHOLE.replace("Keeps you", f"Keeps{escaped}you"))] == ["SN006"]
    listed = WHOLE.replace('["dark", "light"]', f'["dark{escaped}"]')
    assert [code for _, _, code in found(file, listed)] == ["SN005"]


COUNTING = LOCAL.replace('"preference"', '"audience-measurement"').replace(
    "information =", 'objection = "o"\ninformation ='
)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (POLICY.replace('["EU", "UK"]', '["UK"]'), []),
        (POLICY.replace('["EU", "UK"]', '["UK"]').replace('"3"', "3"), ["SN005"]),
        (POLICY.replace('["EU", "UK"]', '["US"]'), ["SN006", "SN201", "SN225"]),
        (POLICY.replace('jurisdictions = ["EU", "UK"]', ""), ["SN004", "SN201", "SN225"]),
        ("", ["SN004", "SN201", "SN225"]),
    ],
)
def test_a_fault_in_the_policy_hides_nothing_else(file: Path, policy: str, expected: list[str]) -> None:
    """Without sound jurisdictions, those of all are asked."""
    assert sorted(code for _, _, code in found(file, policy + COUNTING)) == expected


def test_hosts_of_our_own_are_known_although_the_policy_has_a_fault(file: Path) -> None:
    policy = POLICY.replace('"3"', '3\nhosts = ["media.example.org"]')
    header = "\n[[headers]]\nname = 'content-security-policy'\ndirective = 'img-src'\nreason = 'r'\n"
    assert [code for _, _, code in found(file, f"{policy}{header}value = 'media.example.org'\n")] == ["SN005"]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("https://evil.example/x.js", ["SN016"]),
        ("https://EVIL.example:8443/x.js", ["SN016"]),
        ("https://pay.example.com/x.js", []),
        ("https://media.example.org/x.js", []),
        ("https://localhost:8000/x.js", []),
        ("/static/https://evil.example/x.js", []),
    ],
)
def test_a_script_is_ours_or_on_a_host_that_is_declared(file: Path, script: str, expected: list[str]) -> None:
    text = WHOLE.replace("[policy]", '[policy]\nhosts = ["media.example.org"]').replace("/static/theme.js", script)
    told = found(file, text)
    assert [code for _, _, code in told] == expected
    assert not told or told[0][0] == line_of(text, "script =")


@pytest.mark.parametrize(
    ("old", "new", "fix"),
    [
        ('version = "3"', "version = 3", 'write version = "3"'),
        ('version = "3"\n', "", 'add version = "3"'),
        ('service = "Example"\n', "", 'add service = "Example"'),
        ('contact = "privacy@example.org"\n', "", 'add contact = "privacy@example.org"'),
        ("last_updated = 2026-11-23", "last_updated = 1", "write last_updated = 2026-11-23"),
        ('same_site = "Lax"\n', "", 'add same_site = "Lax"; the choices are Strict, Lax, None'),
        ('same_site = "Lax"', 'same_site = "lax"', "did you mean Lax? write one of: Strict, Lax, None"),
        (
            'set_by = "server"',
            "set_by = true",
            'write set_by = "server"; the choices are server, script, infrastructure',
        ),
        ("secure = true\n", "", "add secure = true or false"),
        ('kind = "local"', 'kind = "localStorage"', "did you mean local? write one of: cookie, "),
        ('"authentication"', '"necessary"', "say what it is for, since each exemption has its own rules"),
        ('"authentication"', '"login"', "did you mean authentication? "),
        (
            'lifetime = "session"',
            'lifetime = "1 year"',
            'write "12 months", and for a cookie at most "400 days"; else ',
        ),
        ('lifetime = "session"', 'lifetime = "2 Years"', 'write "24 months", and '),
        ('lifetime = "session"', 'lifetime = "a week"', 'write "7 days"; else '),
        ('lifetime = "session"', 'lifetime = "2hours"', 'write "2 hours"; else write "session", '),
        ('lifetime = "session"', 'lifetime = "1 DAY"', 'write "1 day"; else '),
        ('lifetime = "session"', 'lifetime = "0 days"', 'write "session", "persistent", or '),
    ],
)
def test_what_to_do_is_said_by_an_example_of_that_key(file: Path, old: str, new: str, fix: str) -> None:
    assert old in WHOLE
    file.write_text(WHOLE.replace(old, new, 1), encoding="utf-8")
    assert [finding.fix[: len(fix)] for finding in check(file) if finding.code < "SN1"] == [fix]


@pytest.mark.parametrize(
    ("path", "error", "message"),
    [
        (None, TypeError, "path of a TOML file .* not NoneType"),
        (b"policy.toml", TypeError, "not bytes"),
        ({"policy": {}}, TypeError, "not dict"),
        (WHOLE, ValueError, "not what is in it"),
        ("", ValueError, "path of a TOML file"),
    ],
)
def test_what_is_not_a_path_is_told_at_once(path: object, error: type[Exception], message: str) -> None:
    for function in (load, check):
        with pytest.raises(error, match=message):
            function(path)  # type: ignore[arg-type]


def test_a_byte_order_mark_is_no_fault(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + WHOLE.encode())
    assert check(file) == []


@pytest.mark.parametrize("text", ['["]' + "a" * 60_000 + '"]\n', "['" + "[" * 60_000 + "']\n", "[" * 60_000])
def test_no_text_takes_long_to_look_at(file: Path, text: str) -> None:
    file.write_text(WHOLE + "\n" + text, encoding="utf-8")
    start = time.process_time()
    assert check(file)
    assert time.process_time() - start < 5, "it took minutes"


VISITS = """
[[items]]
id = "visits"
name = "visits"
kind = "local"
category = "analytics"
purpose = "Counts visits."
provider = "Example Ltd"
lifetime = "30 days"
set_when = "You say yes."
set_by = "script"
script = "/static/visits.js"
"""
CHOICE = """
[[items]]
id = "choice"
name = "__Host-choice"
kind = "cookie"
category = "consent-choice"
purpose = "Remembers what you answered."
provider = "Example Ltd"
lifetime = "6 months"
set_when = "You answer."
set_by = "server"
readable_by_application = false
http_only = false
secure = true
same_site = "Lax"
path = "/"
"""


def test_what_a_version_says_of_itself_is_read(file: Path) -> None:
    more = 'starts = 2026-12-01T10:00:00+01:00\nchange = "significant"\nsummary = "More."\nask = ["visits"]\n'
    policy = loaded(file, POLICY + more + VISITS + CHOICE).policy
    assert policy.starts == policy.starts_at == dt.datetime(2026, 12, 1, 9, tzinfo=dt.UTC)
    assert (policy.change, policy.summary, policy.ask) == ("significant", "More.", ("visits",))
    bare = loaded(file, POLICY).policy
    assert (bare.starts, bare.change, bare.summary, bare.ask) == (None, None, None, ())
    assert bare.starts_at == dt.datetime(2026, 11, 23, tzinfo=dt.UTC)


def test_its_summary_is_translated(file: Path) -> None:
    policy = POLICY + 'languages = ["en", "de"]\nsummary = "More."\n'
    whole = policy + '[policy.translations.de]\nsummary = "Mehr."\n'
    assert loaded(file, whole).in_language("de").policy.summary == "Mehr."
    assert found(file, policy) == [(1, 1, "SN013")]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("starts = 2026-12-01", "SN005"),
        ("starts = 2026-12-01T09:00:00", "SN005"),
        ('starts = "2026-12-01T09:00:00Z"', "SN005"),
        ("starts = 0001-01-01T00:00:00+01:00", "SN006"),
        ("starts = 9999-12-31T23:59:59-01:00", "SN006"),
        ('change = "small"', "SN006"),
        ('summary = ""', "SN006"),
        ("ask = []", "SN005"),
        ('ask = ["Visits"]', "SN006"),
        ('ask = ["nobody"]', "SN018"),
        ('ask = ["choice"]', "SN018"),
        ('ask = ["visits", "visits"]', "SN008"),
    ],
)
def test_a_fault_in_what_a_version_says_of_itself(file: Path, line: str, code: str) -> None:
    assert found(file, f"{POLICY}{line}\n{VISITS}{CHOICE}") == [(8, 1, code)]


def test_a_faulty_item_is_not_missed_a_second_time(file: Path) -> None:
    text = POLICY + 'ask = ["visits"]\n' + VISITS.replace('"local"', '"locale"') + CHOICE
    assert [code for _, _, code in found(file, text)] == ["SN006"]
    faulty_answer = POLICY + VISITS + CHOICE.replace('"Lax"', '"Loose"')
    assert [code for _, _, code in found(file, faulty_answer)] == ["SN006"]


def test_the_version_that_people_answer_can_stand_in_a_cookie(file: Path) -> None:
    named = POLICY.replace('"3"', '"3 of May"')
    assert found(file, named) == []
    assert found(file, named + VISITS + CHOICE) == [(5, 1, "SN510")]
    assert found(file, named.replace("3 of May", "x" * 33) + VISITS + CHOICE) == [(5, 1, "SN510")]
