"""The words on buttons in English, German, French, Spanish, Italian, Dutch, Polish and Portuguese: who allows, who
refuses, what a question is about, and what the audit must never press."""

from __future__ import annotations

from typing import Final

WORDS: Final = {
    # The whole text of a button, or its beginning.
    "accept": (
        r"^(i |we )?(accept|agree|allow|consent|got it|ok(ay)?\b|yes\b|enable all|that'?s fine|understood|"
        r"(alle[ns]?|alles|ich|wir) .*(akzeptieren|zulassen|erlauben|annehmen|zustimmen|zu$|einverstanden)|akzeptier|"
        r"zustimm|zulassen|erlauben|annehmen|einverstanden|stimme zu|verstanden|ja\b|"
        r"(tout )?accepter|j.accepte|(tout )?autoriser|d.accord|oui\b|accepter|j.ai compris|"
        r"acept|permitir|autorizar|de acuerdo|entendido|s[ií](?!\p{L})|estoy de acuerdo|"
        r"accett|acconsent|consent[io]|autorizza|va bene|ho capito|s[ìi](?!\p{L})|"
        r"(alles |alle )?(accepteren|toestaan)|accepteer|akkoord|sta .*toe|ga akkoord|begrepen|"
        r"(za)?akceptuj|zgadzam si|zgoda|zezw[oó]l|zezwalam|wyra[zż]am zgod|rozumiem|tak\b|"
        r"aceit|concord|autoriz|permit|sim\b|percebi|entendi)|(accept|allow|agree to) all|and (accept|agree|allow)"
    ),
    "refuse": (
        r"^(i |we )?(reject|decline|den[yi]|refuse|disagree|disallow|opt.?out|no\b|nope|do not|don.t|never)|"
        r"(reject|decline|refuse|deny) (all|cookies)|without (accepting|agreeing|consent)|"
        r"\b(only|just)\b.*\b(necessary|essential|required)|\b(necessary|essential|required)\b.*\bonly\b|"
        r"ablehn|verweiger|widersprech|^nein\b|ohne (zustimmung|einwilligung|einverst|zu akzeptieren|akzeptieren)|"
        r"\bnur\b.*(notwendig|erforderlich|essen[zt]iell|technisch)|nicht (zustimmen|akzeptieren|einverstanden)|"
        r"refuser|je refuse|^non\b|sans accepter|continuer sans|uniquement.*(n[ée]cessaires|essentiels)|interdire|"
        r"rechaz|deneg|^no\b|sin aceptar|(solo|s[oó]lo|[uú]nicamente)\b.*(necesari|esencial|t[eé]cnic)|"
        r"rifiut|^nega|senza accettare|(solo|soltanto)\b.*(necessari|essenziali|tecnici)|non accett|"
        r"weiger|afwijz|^nee\b|zonder (te )?(accepter|toestemm)|alleen\b.*(noodzakelijk|essenti|functione)|"
        r"niet akkoord|bez akceptacji|"
        r"odrzu|odm[oó]w|nie (zgadzam|akceptuj|wyra[zż]am)|^nie\b|tylko\b.*(niezb[eę]dn|konieczn|wymagan)|"
        r"rejeit|recus|negar|^n[aã]o\b|sem aceitar|(apenas|somente|s[oó])(?!\p{L}).*(necess[aá]ri|essencia)"
    ),
    "settings": (
        r"settings|preferences|customi[sz]e|manage|options|choices|choose|configure|"
        r"einstellungen|anpassen|verwalten|ausw[aä]hlen|konfigurieren|param[eè]tr|personnaliser|g[eé]rer|choisir|"
        r"configur|preferencias|personalizar|gestionar|ajustes|impostazioni|personalizza|gestisci|preferenze|"
        r"instellingen|aanpassen|beheren|voorkeuren|ustawienia|dostosuj|zarz[aą]dzaj|preferencje|"
        r"defini[cç][oõ]es|gerir|gerenciar|prefer[eê]ncias"
    ),
    "topic": (
        r"cookie|consent|track(ing|ers)|your privacy|personal data|einwilligung|datenschutz|privatsph|zustimmung|"
        r"traceurs|t[eé]moins|consentement|vie priv[eé]e|consentimiento|privacidad|galletas|consenso|riservatezza|"
        r"toestemming|privacy|zgod[yaęzi]|ciastecz|prywatno|consentimento|analytics|advertis|measure|local storage"
    ),
    # Deleting, paying, leaving an account.
    "harm": (
        r"delete|remove account|erase|destroy|\bpay\b|\bbuy\b|purchase|order now|place order|checkout|donate|"
        r"sign.?out|log.?out|log.?off|unsubscribe|\bprint\b|"
        r"l[oö]schen|bezahlen|kaufen|bestellen|abmelden|ausloggen|spenden|drucken|"
        r"supprimer|effacer|payer|acheter|commander|d[ée]connexion|d[ée]connecter|imprimer|"
        r"eliminar|borrar|pagar|comprar|cerrar sesi[oó]n|imprimir|"
        r"elimina|cancella|paga\b|acquista|compra|esci\b|disconnetti|stampa|"
        r"verwijder|betalen|kopen|afrekenen|uitloggen|afmelden|afdrukken|"
        r"usu[nń]|zap[lł]a[cć]|kup\b|kupuj|wyloguj|drukuj|"
        r"excluir|apagar|terminar sess[aã]o|sair\b"
    ),
    # Sending what was typed, without a form that the browser knows of.
    "send": (
        r"\bsend\b|submit|publish|subscribe|\bpost\b|sign.?up|register|senden|ver[oö]ffentlichen|anmelden|registrier|"
        r"envoyer|publier|inscri|enviar|publicar|registr|invia|pubblica|iscri|verzenden|publiceren|aanmeld|"
        r"wy[sś]lij|opublikuj|zarejestruj|cadastr"
    ),
}

LEAVES = (
    r"log-?_?(out|off)|sign-?_?(out|off)|abmelden|ausloggen|deconnexion|d[ée]connecter|cerrar-?sesion|disconnetti|uitloggen|"
    r"wyloguj|terminar-?sess|end-?session|delete|remove|unsubscribe|cancel|destroy|revoke"
)
"""Links that are not followed in somebody's account: looking at them may already do it."""
