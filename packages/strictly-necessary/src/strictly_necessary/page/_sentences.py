"""What changed from one version to the next, in words of people: one sentence for each change."""

from __future__ import annotations

from dataclasses import dataclass
from gettext import NullTranslations

from strictly_necessary.declaration import Declaration
from strictly_necessary.declaration._items import Item, Jurisdiction, Kind, Override, SetBy, Significance
from strictly_necessary.page._claims import LAW
from strictly_necessary.page._edition import KINDS, Edition, title_in_words
from strictly_necessary.page._language import N_, NAMES, Language, language_for
from strictly_necessary.page._reach import Reach
from strictly_necessary.versions import Change, ChangeKind, Version

_FLAGS: dict[tuple[str | None, str | None], str] = {
    ("readable_by_application", "true"): N_("{title}: our server now reads it too."),
    ("readable_by_application", "false"): N_("{title}: our server no longer reads it."),
    ("http_only", "false"): N_("{title}: scripts on our pages can now read it."),
    ("http_only", "true"): N_("{title}: scripts can no longer read it."),
    ("secure", "false"): N_("{title}: your browser now also sends it over connections that are not encrypted."),
    ("secure", "true"): N_("{title}: your browser now sends it over encrypted connections only."),
    ("partitioned", "false"): N_("{title}: it is now one and the same on all sites that show our pages in theirs."),
    ("partitioned", "true"): N_("{title}: it is now kept apart for each site that shows our pages in its own."),
    ("same_site", "Strict"): N_("{title}: your browser now sends it only from one of our pages to another."),
    ("same_site", "Lax"): N_("{title}: your browser now sends it from our pages, and when you follow a link to us."),
    ("same_site", "None"): N_("{title}: your browser now sends it also when another site loads something from us."),
    ("same_site", None): N_("{title}: your browser now sends it from our pages, and when you follow a link to us."),
    ("renewed", "true"): N_("{title}: each visit now starts its time anew."),
    ("renewed", "false"): N_("{title}: visits no longer prolong its time."),
    ("requires_action", "true"): N_("{title}: it is now set only when you ask for it."),
    ("requires_action", "false"): N_("{title}: it is now set even if you do not ask for it."),
}
"""What the new value of such a field means, whichever way it changed."""

WRITERS = {
    # Translators: these follow “now set by”
    SetBy.SERVER: N_("our server"),
    SetBy.SCRIPT: N_("a script on our pages"),
    SetBy.INFRASTRUCTURE: N_("the hosting infrastructure"),
}


def change_sentences(
    version: Version,
    *,
    language: str | None = None,
    catalogue: NullTranslations | None = None,
    previous: Version | None = None,
) -> tuple[str, ...]:
    """What changed since the version before, one sentence for each change, the weightiest first; none for the first
    version. What is gone is told in the language of its declaration, unless the `previous` version is given. Texts of
    the declaration that are not in the language stay as they are."""
    code = language or version.declaration.policy.languages[0]
    told = Teller(
        language_for(code, catalogue),
        in_language_if_there(version.declaration, code),
        in_language_if_there(previous.declaration, code) if previous else None,
    )
    changes = version.difference.changes if version.difference else ()
    return tuple(dict.fromkeys(told.sentence(change) for change in sorted(changes, key=_weight)))


def significant_sentences(
    version: Version, *, language: str | None = None, catalogue: NullTranslations | None = None
) -> tuple[str, ...]:
    """Only those of the significant changes."""
    if version.difference is None:
        return ()
    kept = tuple(each for each in version.difference.changes if each.significance is Significance.SIGNIFICANT)
    shorter = Version(version.declaration, type(version.difference)(kept))
    return change_sentences(shorter, language=language, catalogue=catalogue)


def verdict(version: Version, language: Language) -> str:
    """What the version means for people, in a few words."""
    _, difference = language.gettext, version.difference
    if difference is None:
        return _("The first version")
    if difference.needs_consent:
        return _("You are asked")
    if version.is_significant:
        return _("You are told")
    if all(change.kind is ChangeKind.WORDING for change in difference.changes):
        return _("Only wording")
    return _("Less than before")


def in_language_if_there(declaration: Declaration, code: str) -> Declaration:
    """Old versions need not be in each language of the new ones."""
    return declaration.in_language(code) if code in declaration.policy.languages else declaration


def view_of(declaration: Declaration, language: Language) -> Edition:
    """The declaration as it is, with the page's words in the language."""
    own = frozenset(item.id for item in declaration.items if item.provider == declaration.policy.operator)
    return Edition(declaration, language, own, Reach(declaration))


def header_in_words(override: Override) -> str:
    """The header, and the part of it that is meant."""
    return " ".join(part for part in (override.name, override.directive) if part)


def _weight(change: Change) -> int:
    if change.needs_consent:
        return 0
    return 1 if change.significance is Significance.SIGNIFICANT else 2


@dataclass(frozen=True)
class Teller:
    """`new` and `old` have their texts in the language already, as far as they have it."""

    language: Language
    new: Declaration
    old: Declaration | None

    def sentence(self, change: Change) -> str:
        if change.kind is ChangeKind.WORDING:
            return self._wording(change)
        if change.field in {"third_parties", "headers", "hosts", "jurisdictions"}:
            return self._others(change)
        if change.field == "operator":
            return self._operator(change)
        if change.field in {"lifetime", "purpose", "recipients", "provider", "kind", "set_by", "script", "objection"}:
            return self._facts(change)
        if (change.field, change.after) in _FLAGS:
            return self.language.gettext(_FLAGS[change.field, change.after], title=self._title(change))
        return self._scope(change) if change.field else self._whole(change)

    def _whole(self, change: Change) -> str:
        """An item that came or went, or that people are asked about."""
        _, title = self.language.gettext, self._title(change)
        if change.kind is ChangeKind.REMOVED_ITEM:
            return _("No longer there: {title}.", title=title)
        if change.kind is ChangeKind.NEEDS_CONSENT:
            return _("{title}: from now on only if you say yes.", title=title)
        if change.kind is ChangeKind.NO_CONSENT:
            return _("{title}: from now on without asking you.", title=title)
        if change.kind is ChangeKind.ASKED_AGAIN:
            return _("{title}: we ask you again.", title=title)
        item = self._item(change)
        purposes = " ".join(purpose.text for purpose in item.purposes) if item else ""
        if change.needs_consent:
            return _("New, and only if you say yes: {title}. {purposes}", title=title, purposes=purposes).rstrip()
        return _("New: {title}. {purposes}", title=title, purposes=purposes).rstrip()

    def _facts(self, change: Change) -> str:
        _, title = self.language.gettext, self._title(change)
        before, after = change.before or "", change.after or ""
        if change.field == "lifetime":
            lives = {"before": self._life(change, before), "after": self._life(change, after)}
            return _("{title}: now stays {after} instead of {before}.", title=title, **lives)
        if change.kind is ChangeKind.NEW_PURPOSE:
            return _("{title}: one more purpose. {purpose}", title=title, purpose=self._purpose(change, after))
        if change.kind is ChangeKind.REMOVED_PURPOSE:
            return _(
                "{title}: one purpose fewer. It was: {purpose}", title=title, purpose=self._purpose(change, before)
            )
        if change.kind is ChangeKind.NEW_RECIPIENT:
            return _("{title}: now also sent to {names}.", title=title, names=after)
        if change.kind is ChangeKind.REMOVED_RECIPIENT:
            return _("{title}: no longer sent to {names}.", title=title, names=before)
        if change.field == "provider":
            item, was = self._item(change), self._item(change, old=True)
            names = {"after": item.provider if item else after, "before": was.provider if was else before}
            return _("{title}: now provided by {after}; before, by {before}.", title=title, **names)
        if change.field == "kind":
            places = {"after": _(KINDS[Kind(after)]), "before": _(KINDS[Kind(before)])}
            return _("{title}: now in another place: {after}. Before: {before}.", title=title, **places)
        if change.field == "set_by":
            writers = {"after": _(WRITERS[SetBy(after)]), "before": _(WRITERS[SetBy(before)])}
            return _("{title}: now set by {after}; before, by {before}.", title=title, **writers)
        if change.field == "script":
            return _("{title}: now set by {after}; before, by {before}.", title=title, after=after, before=before)
        was = self._item(change, old=True)
        gone = (was and was.objection) or before
        return _("{title}: a way to say no is gone. It was: {objection}", title=title, objection=gone)

    def _scope(self, change: Change) -> str:
        """Under which names, for which addresses and with which values."""
        _, title = self.language.gettext, self._title(change)
        before, after = change.before or "", change.after or ""
        if change.field == "name":
            names = {"after": self._name(after), "before": self._name(before)}
            if change.kind is ChangeKind.WIDER_SCOPE:
                return _("{title}: now under more names: {after}. Before: {before}.", title=title, **names)
            if change.kind is ChangeKind.NARROWER_SCOPE:
                return _("{title}: now under fewer names: {after}. Before: {before}.", title=title, **names)
            return _("{title}: now called {after} in your browser. Before: {before}.", title=title, **names)
        if change.field == "path":
            paths = {"after": after or "/", "before": before or "/"}
            if change.kind is ChangeKind.WIDER_SCOPE:
                return _("{title}: now sent to more of our addresses: {after}. Before: {before}.", title=title, **paths)
            return _("{title}: now sent to fewer of our addresses: {after}. Before: {before}.", title=title, **paths)
        if change.field == "domain":
            if not after:
                return _("{title}: now sent to this host only, and no longer to {domain}.", title=title, domain=before)
            if change.kind is ChangeKind.WIDER_SCOPE:
                return _("{title}: now also sent to the other hosts of {domain}.", title=title, domain=after)
            return _("{title}: now sent to fewer hosts, those of {domain}.", title=title, domain=after)
        if not after:
            return _("{title}: it can now hold any value. Before, only: {values}.", title=title, values=before)
        return _("{title}: it can now hold: {values}.", title=title, values=after)

    def _operator(self, change: Change) -> str:
        names = {"after": change.after or "", "before": change.before or ""}
        if change.item is None:
            return self.language.gettext(
                "{service} is now run by {after}; before, by {before}.", service=self.new.policy.service, **names
            )
        return self.language.gettext(
            "{title}: {after} is now responsible for it, and no longer {before}.", title=self._title(change), **names
        )

    def _others(self, change: Change) -> str:
        """Third parties, headers, hosts and laws."""
        _ = self.language.gettext
        before, after = change.before or "", change.after or ""
        if change.kind is ChangeKind.NEW_THIRD_PARTY:
            party = next((each for each in self.new.third_parties if each.host == after), None)
            feature = party.feature if party else after
            return _("New service of another company: {name} ({feature}).", name=change.subject, feature=feature)
        if change.kind is ChangeKind.REMOVED_THIRD_PARTY:
            return _("No longer there, a service of another company: {name}.", name=change.subject)
        if change.field == "headers":
            return self._header(change)
        if change.field == "hosts":
            if after:
                return _("We now also use these hosts of our own: {names}.", names=after)
            return _("We no longer use these hosts: {names}.", names=before)
        laws = self.language.joined([_(LAW[Jurisdiction(each)]) for each in (after or before).split(", ")])
        if after:
            return _("This policy now also keeps to {law}.", law=laws)
        return _("This policy no longer keeps to {law}.", law=laws)

    def _header(self, change: Change) -> str:
        _ = self.language.gettext
        found = self._override(change)
        reason = found.reason if found else change.subject
        if change.after is None:
            return _("An exception from our strictest security settings is gone: {reason}", reason=reason)
        if change.before is None:
            return _("A new exception from our strictest security settings: {reason}", reason=reason)
        return _("An exception from our strictest security settings has changed: {reason}", reason=reason)

    def _wording(self, change: Change) -> str:
        _ = self.language.gettext
        after = change.after or ""
        if change.item is not None:
            item = self._item(change)
            if change.field == "objection" and change.before is None and item and item.objection:
                return _(
                    "{title}: you can now say no. {objection}", title=self._title(change), objection=item.objection
                )
            return _("{title}: described in other words.", title=self._title(change))
        if change.field == "service":
            return _("The service is now called {name}.", name=after)
        if change.field == "contact":
            return _("You now reach us at {address}.", address=after)
        if change.field == "languages":
            names = [NAMES.get(code, code) for code in self.new.policy.languages]
            return _("This page is now in these languages: {names}.", names=self.language.joined(names))
        if change.field == "desktop_apps" and after:
            return _("Our desktop apps are now: {names}.", names=self.language.joined(self.new.policy.desktop_apps))
        if change.field == "privacy_policy":
            return _("Our Privacy Policy is now at another address.")
        if change.field == "terms":
            return _("Our Terms of Service are now at another address.")
        return _("{title}: described in other words.", title=change.subject)

    def _title(self, change: Change) -> str:
        old = change.kind is ChangeKind.REMOVED_ITEM
        item, declaration = self._item(change, old=old), self.old if old else self.new
        if item is None or declaration is None:
            return change.subject
        return title_in_words(view_of(declaration, self.language), item)

    def _item(self, change: Change, *, old: bool = False) -> Item | None:
        declaration = self.old if old else self.new
        return next((item for item in declaration.items if item.id == change.item), None) if declaration else None

    def _override(self, change: Change) -> Override | None:
        gone = change.after is None
        declaration, value = (self.old, change.before) if gone else (self.new, change.after)
        found = (each for each in declaration.overrides if each.value == value) if declaration else iter(())
        return next((each for each in found if header_in_words(each) == change.subject), None)

    def _purpose(self, change: Change, shown: str) -> str:
        """In the language if it is found there; `shown` is the category and the sentence as declared."""
        category, _, text = shown.partition(": ")
        item = self._item(change, old=change.kind is ChangeKind.REMOVED_PURPOSE)
        found = [each.text for each in item.purposes if each.category == category] if item else []
        return found[-1] if found else text

    def _name(self, name: str) -> str:
        if not name.endswith("*"):
            return name
        return self.language.gettext("{name} and names that begin with it", name=name.removesuffix("*"))

    def _life(self, change: Change, text: str) -> str:
        _, item = self.language.gettext, self._item(change)
        if text == "persistent":
            return _("until you remove it")
        if text == "session":
            tab = item is not None and item.kind is Kind.SESSION
            return _("until you close the tab") if tab else _("until the browser session ends")
        number, unit = int(text.split()[0]), text.split()[1].removesuffix("s")
        if unit == "minute":
            return self.language.ngettext("{number} minute", "{number} minutes", number)
        if unit == "hour":
            return self.language.ngettext("{number} hour", "{number} hours", number)
        if unit == "day":
            return self.language.ngettext("{number} day", "{number} days", number)
        return self.language.ngettext("{number} month", "{number} months", number)
