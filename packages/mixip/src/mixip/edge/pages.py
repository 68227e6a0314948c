"""Renders pages: minijinja templates of the features, escaped, never cached by anybody."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

from litestar import Request
from litestar.response.base import ASGIResponse
from minijinja import Environment, safe

from mixip.edge.asgi import Scope
from mixip.edge.caller import STATE_KEY, Caller
from mixip.edge.responses import respond
from mixip.edge.told import told


def page(
    request: Request[Any, Any, Any],
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> ASGIResponse:
    """Answer with a page. `template` is FEATURE/NAME.html, in the folder `pages` of the feature."""
    return respond(render(request.scope, template, context), "text/html", status=status, headers=headers)


def render(scope: Scope, template: str, context: Mapping[str, Any]) -> bytes:
    """The page as bytes, with what every page knows: the account, the CSRF token, the path, and what is told of the
    policy. That may ask the ledger, so it may block."""
    caller: Caller | None = scope.get("state", {}).get(STATE_KEY)
    text = _environment().render_template(
        template,
        **{
            "account": {"email": caller.email} if caller else None,
            "csrf": caller.csrf if caller and caller.via == "cookie" else "",
            "path": scope["path"],
            **told(
                scope,
                context.get("language"),
                asks_here=bool(context.get("asks_here")),
                tells_here=bool(context.get("tells_here")),
            ),
            **context,
        },
    )
    return text.encode()


@cache
def _environment() -> Environment:
    semi_strict: Any = "semi_strict"  # missing values may be asked for but not shown; the library's types forget it
    return Environment(
        loader=_load,
        auto_escape_callback=lambda name: "html" if name.endswith((".html", ".svg")) else None,
        undefined_behavior=semi_strict,
        debug=False,  # its errors would show the values of variables, and errors are logged
        globals={"static": _static_url},
        filters={"bytes": human_bytes, "count": human_count, "moment": human_moment, "duration": human_duration},
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _load(name: str) -> str | None:
    feature, _, rest = name.partition("/")
    try:
        return (files("mixip") / feature / "pages" / rest).read_text()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _static_url(path: str) -> str:
    from mixip.edge.static import static_url

    return safe(static_url(path))


def human_bytes(size: int) -> str:
    """1536 -> 1.5 KB, in steps of 1,000, as operating systems and disks show it."""
    if size < 1000:
        return f"{size} B"
    value = float(size)
    for unit in ("KB", "MB", "GB", "TB"):
        value /= 1000
        if value < 999.5 or unit == "TB":
            break
    return f"{value:.0f} {unit}" if value >= 100 else f"{value:.1f} {unit}"


def human_count(number: int) -> str:
    """1234567 -> 1,234,567."""
    return f"{number:,}"


def human_moment(moment: datetime) -> str:
    """A `<time>` element; the page's script may show it in the reader's own time zone."""
    return safe(f'<time datetime="{moment:%Y-%m-%dT%H:%M:%SZ}">{moment.day} {moment:%B %Y, %H:%M} UTC</time>')


def human_duration(seconds: float) -> str:
    """Seconds -> m:ss or h:mm:ss."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
