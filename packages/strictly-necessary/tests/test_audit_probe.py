"""The probe in a real Chromium: what scripts do is seen with who did it, and pages do not notice."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from strictly_necessary.audit._observation import Call, State, Visit, Write
from strictly_necessary.audit._plan import Plan
from strictly_necessary.audit.browser import launch
from strictly_necessary.audit.probe import BINDING, SOURCE, Batch, read
from strictly_necessary.declaration._items import Kind

pytestmark = pytest.mark.browser

Look = Callable[..., Visit]


class Server(ThreadingHTTPServer):
    daemon_threads = True
    pages: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://localhost:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        body = self.server.pages.get(self.path)
        self.send_response(404 if body is None else 200)
        self.send_header("content-type", "text/javascript" if self.path.endswith(".js") else "text/html")
        self.end_headers()
        self.wfile.write((body or "").encode())

    do_POST = do_GET  # noqa: N815 -- so named in the base class

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- so named in the base class
        """Be quiet."""


@pytest.fixture(scope="module")
def look() -> Iterator[Look]:
    """Opens a page with this script, and further ones by path, and gives what the watcher recorded."""
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    plan = Plan(url=server.url, timeout=60, patience=2, screenshots=False)
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        browser = runner.run(stack.enter_async_context(launch(plan)))

        async def visit(script: str, pages: dict[str, str], state: State) -> Visit:
            server.pages = {"/": '<!doctype html><title>-</title><body><script src="/app.js"></script>', **pages}
            server.pages["/app.js"] = script
            async with browser.person(state) as person:
                return await (await person.open(f"{server.url}/")).finish()

        def opened(script: str, pages: dict[str, str] | None = None, state: State = State.VISIT) -> Visit:
            return runner.run(visit(script, pages or {}, state))

        yield opened
        runner.run(stack.aclose())
    server.shutdown()
    server.server_close()


def wrote(visit: Visit, kind: Kind) -> list[Write]:
    return [each for each in visit.writes if each.kind is kind and each.header is None]


def called(visit: Visit, api: str) -> list[Call]:
    return [each for each in visit.calls if each.api == api]


def told(script: str) -> str:
    """A script that says in the title what is true of the expressions."""
    return f"document.title = (() => {{ {script} }})();"


def test_cookies_are_seen_with_their_life_and_their_line(look: Look) -> None:
    visit = look(
        'document.cookie = "a=1; path=/; max-age=60";\n'
        'document.cookie = "b=x=y";\n'
        'document.cookie = "c=; expires=Thu, 01 Jan 1970 00:00:00 GMT";\n'
        'document.cookie = "d=1; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=5";\n'
        'cookieStore.set("e", "1");\n'
        'cookieStore.delete("e");'
    )
    found = wrote(visit, Kind.COOKIE)
    assert [(each.name, each.value) for each in found] == [
        ("a", "1"), ("b", "x=y"), ("c", ""), ("d", "1"), ("e", "1"), ("e", ""),
    ]  # fmt: skip
    assert [each.removes for each in found] == [False, False, True, False, False, True]
    assert [each.life for each in found if each.name != "c"] == [60, None, 5, None, 0]
    assert [each.stack[0].line for each in wrote(visit, Kind.COOKIE)] == [1, 2, 3, 4, 5, 6]
    assert {each.address.rpartition("/")[2] for each in wrote(visit, Kind.COOKIE)} == {"app.js"}


def test_keys_are_seen_however_they_are_written(look: Look) -> None:
    visit = look(
        """function save() { localStorage.setItem("method", 1); }
        save();
        localStorage.property = 1;
        sessionStorage["in brackets"] = 2;
        Object.assign(localStorage, { assigned: 3 });
        Object.defineProperty(localStorage, "defined", { value: "4" });
        Reflect.set(localStorage, "reflected", "5");
        Storage.prototype.setItem.call(localStorage, "borrowed", "6");
        eval("localStorage.evaluated = 7");
        delete localStorage.property;
        localStorage.removeItem("method");
        sessionStorage.clear();"""
    )
    local = wrote(visit, Kind.LOCAL)
    assert {each.name: each.value for each in local if not each.removes} == {
        "method": "1", "property": "1", "assigned": "3", "defined": "4", "reflected": "5", "borrowed": "6",
        "evaluated": "7",
    }  # fmt: skip
    assert [each.name for each in local if each.removes] == ["property", "method"]
    assert [(each.name, each.removes) for each in wrote(visit, Kind.SESSION)] == [
        ("in brackets", False),
        ("in brackets", True),
    ]
    assert [(at.function, at.line) for at in local[0].stack] == [("save", 1), ("", 2)]
    assert all(each.stack and each.stack[0].url.endswith("/app.js") for each in local)


def test_databases_caches_files_and_workers_are_seen(look: Look) -> None:
    visit = look(
        """indexedDB.open("shop").onupgradeneeded = ({ target }) =>
          target.result.createObjectStore("s").put({ who: "id-8812" }, 1);
        caches.open("pages").then((cache) => cache.put("/x", new Response("x")));
        navigator.storage.getDirectory().then(async (root) => {
          const sub = await root.getDirectoryHandle("sub", { create: true });
          await sub.getFileHandle("id.txt", { create: true });
        });
        navigator.serviceWorker.register("/worker.js");""",
        {"/worker.js": "self.x = 1;"},
    )
    databases = wrote(visit, Kind.INDEXEDDB)
    assert {each.name for each in databases} == {"shop"}
    assert [each.value for each in databases] == ["", "id-8812"]
    assert [each.name for each in wrote(visit, Kind.CACHE)] == ["pages", "pages"]
    assert [each.name for each in wrote(visit, Kind.OPFS)] == ["sub/id.txt"]
    assert [each.name.rpartition("/")[2] for each in wrote(visit, Kind.SERVICE_WORKER)] == ["worker.js"]


def test_frames_and_workers_are_seen_too(look: Look) -> None:
    visit = look(
        """const frame = document.createElement("iframe");
        document.body.append(frame);
        frame.contentWindow.localStorage.inFrame = 1;
        frame.contentWindow.document.cookie = "framed=1";
        new Worker("/worker.js");""",
        {
            "/worker.js": """indexedDB.open("worked");
            caches.open("kept");
            const canvas = new OffscreenCanvas(99, 99), pen = canvas.getContext("2d");
            pen.fillText("glyphs vext", 1, 9);
            canvas.convertToBlob();
            navigator.hardwareConcurrency;"""
        },
    )
    assert "inFrame" in {each.name for each in wrote(visit, Kind.LOCAL)}
    assert "framed" in {each.name for each in wrote(visit, Kind.COOKIE)}
    assert {(each.name, bool(each.worker)) for each in wrote(visit, Kind.INDEXEDDB)} == {("worked", True)}
    assert {(each.name, bool(each.worker)) for each in wrote(visit, Kind.CACHE)} == {("kept", True)}
    [read_back] = called(visit, "OffscreenCanvas.convertToBlob")
    assert read_back.arguments == (("99", "99", "10", read_back.script, "2d"),)
    assert called(visit, "Navigator.hardwareConcurrency")[0].worker


def test_a_picture_is_told_with_what_was_written_on_it(look: Look) -> None:
    visit = look(
        """const draw = () => { const c = document.createElement("canvas"); return [c, c.getContext("2d")]; };
        const [first, pen] = draw();
        pen.fillText("Cwm fjord", 1, 9);
        const [second, other] = draw();
        other.drawImage(first, 0, 0);
        second.toDataURL();
        pen.clearRect(0, 0, 300, 150);
        first.toBlob(() => {});
        first.width = 20;
        pen.getImageData(0, 0, 20, 20);"""
    )
    assert called(visit, "HTMLCanvasElement.toDataURL")[0].arguments[0][2] == "8"
    assert called(visit, "HTMLCanvasElement.toBlob")[0].arguments[0][2] == "0"
    assert called(visit, "CanvasRenderingContext2D.getImageData")[0].arguments[0][:3] == ("20", "20", "0")


def test_computed_sound_is_told_from_recorded_sound(look: Look) -> None:
    visit = look(
        """const render = (make) => {
          const context = new OfflineAudioContext(1, 100, 44100);
          make(context).connect(context.destination);
          context.startRendering().then((buffer) => buffer.getChannelData(0));
        };
        render((context) => new OscillatorNode(context));
        render((context) => context.createBufferSource());
        new AudioBuffer({ length: 9, sampleRate: 44100 }).getChannelData(0);"""
    )
    reads = called(visit, "AudioBuffer.getChannelData")  # one for each act: sound is ready when it is
    assert {each for read in reads for each in read.arguments} == {("computed",), ("other",)}


def test_families_are_told_for_texts_that_are_measured_in_several(look: Look) -> None:
    visit = look(
        """const span = document.createElement("span"), pen = document.createElement("canvas").getContext("2d");
        document.body.append(span);
        span.textContent = "mmlli";
        for (const font of ["Arial", "'Fira Sans'", "serif"]) { span.style.fontFamily = font; span.offsetWidth; }
        for (const text of ["one", "two"]) { span.textContent = text; span.offsetWidth; }
        pen.font = "12px Arial"; pen.measureText("q");
        pen.font = "italic bold 1.5em/2 'Fira Sans', serif"; pen.measureText("q");"""
    )
    [measured] = called(visit, "HTMLElement.measure")
    assert measured.arguments == (("mmlli", "arial"), ("mmlli", "fira sans"), ("mmlli", "serif"))
    [on_canvas] = called(visit, "CanvasRenderingContext2D.measureText")
    assert on_canvas.arguments == (("q", "arial"), ("q", "fira sans"))


def test_listeners_are_told_with_their_target(look: Look) -> None:
    visit = look(
        """addEventListener("mousemove", () => {});
        document.addEventListener("keydown", { handleEvent() {} });
        document.body.onclick = () => {};
        window.onscroll = () => {};
        addEventListener("load", () => {});
        new MutationObserver(() => {}).observe(document, { subtree: true, childList: true, characterData: true });
        document.documentElement.outerHTML;
        document.body.firstChild.outerHTML;"""
    )
    [listened] = called(visit, "EventTarget.addEventListener")
    assert listened.arguments == (
        ("mousemove", "window"),
        ("keydown", "document"),
        ("click", "body"),
        ("scroll", "window"),
    )
    assert called(visit, "MutationObserver.observe")[0].arguments == (("document", "childList characterData subtree"),)
    assert called(visit, "Element.outerHTML")[0].count == 1


def test_a_page_finds_everything_as_it_was(look: Look) -> None:
    visit = look(
        told(
            """const thrown = (run) => { try { run(); } catch (error) { return error.constructor.name; } };
            const wrong = [];
            const check = (name, holds) => { if (!holds) wrong.push(name); };
            check("identity", localStorage === window.localStorage);
            check("brand", localStorage instanceof Storage && `${localStorage}` === "[object Storage]");
            localStorage.a = 1; localStorage.b = 2;
            check("keys", Object.keys(localStorage).sort().join() === "a,b" && "a" in localStorage);
            check("length", localStorage.length === 2);
            check("json", JSON.stringify(localStorage).length === 17 && localStorage.c === undefined);
            check("event", new StorageEvent("storage", { storageArea: localStorage }).storageArea === localStorage);
            check("name", navigator.getBattery.name === "getBattery");
            check("arguments", document.body.addEventListener.length === 2);
            check("texts", `${Storage.prototype.setItem}` === "function setItem() { [native code] }");
            check("text of text", `${Function.prototype.toString}` === "function toString() { [native code] }");
            check("class", `${RTCPeerConnection}` === "function RTCPeerConnection() { [native code] }");
            const getter = Object.getOwnPropertyDescriptor(Navigator.prototype, "userAgent").get;
            check("getter", getter.name === "get userAgent" && !("prototype" in getter));
            check("illegal", thrown(() => Navigator.prototype.userAgent) === "TypeError");
            check("illegal key", thrown(() => Storage.prototype.setItem.call({}, "a", "b")) === "TypeError");
            check("few", thrown(() => localStorage.setItem("a")) === "TypeError");
            check("symbol", thrown(() => { localStorage.d = Symbol(); }) === "TypeError");
            check("no new", thrown(() => RTCPeerConnection()) === "TypeError");
            check("extends", new (class extends RTCPeerConnection {})() instanceof RTCPeerConnection);
            check("constructor", RTCPeerConnection.prototype.constructor === RTCPeerConnection);
            check("names of ours", !Object.getOwnPropertyNames(window).some((name) => name.startsWith("__")));
            check("stack", !("prepareStackTrace" in Error) && Error.stackTraceLimit === 10);
            const frame = document.createElement("iframe");
            document.body.append(frame);
            const other = frame.contentWindow;
            check("other text", !other.Function.prototype.toString.call(localStorage.setItem).includes("run"));
            other.Storage.prototype.setItem.call(localStorage, "cross", "1");
            check("other realm", localStorage.cross === "1");
            return wrong.join() || "as it was";"""
        )
    )
    assert visit.title == "as it was"


def test_a_hostile_page_is_seen_as_any_other(look: Look) -> None:
    visit = look(
        """const bad = () => { throw new Error("caught you"); };
        JSON.stringify = bad; Array.prototype.push = bad; String.prototype.slice = bad; RegExp.prototype.exec = bad;
        Array.prototype.toJSON = bad; Object.prototype.toJSON = bad; Array.prototype[Symbol.iterator] = bad;
        Promise.prototype.then = bad; window.queueMicrotask = bad; Reflect.apply = bad; WeakMap.prototype.get = bad;
        Function.prototype.call = bad; Function.prototype.apply = bad; Object.defineProperty = bad;
        Math.abs = String.prototype.trim = String.prototype.toLowerCase = bad;
        Error.prepareStackTrace = () => "nothing";
        Error.stackTraceLimit = 0;
        Object.freeze(Error.prototype);
        localStorage.setItem("hidden", "1");
        eval("localStorage.evaluated = 1");
        const canvas = document.createElement("canvas"), pen = canvas.getContext("2d");
        pen.fillText("glyphs vext", 1, 9);
        canvas.toDataURL();
        document.cookie = "hidden=1";
        navigator.hardwareConcurrency;"""
    )
    assert [(each.name, each.stack[0].line) for each in wrote(visit, Kind.LOCAL)] == [
        ("hidden", 10),
        ("evaluated", 11),
    ]
    assert called(visit, "HTMLCanvasElement.toDataURL")[0].arguments[0][2] == "10"
    assert [each.name for each in wrote(visit, Kind.COOKIE)] == ["hidden"]
    assert called(visit, "Navigator.hardwareConcurrency")[0].script.endswith("/app.js")


def test_a_frozen_error_costs_no_stack(look: Look) -> None:
    visit = look("function keep() { localStorage.kept = 1; }\nObject.freeze(Error);\nkeep();")
    assert [(at.function, at.line) for at in wrote(visit, Kind.LOCAL)[0].stack] == [("keep", 1), ("", 3)]


def test_a_name_for_its_source_hides_no_script(look: Look) -> None:
    visit = look(f"localStorage.hidden = 1;\n//# sourceURL=strictly-{BINDING}:probe")
    assert wrote(visit, Kind.LOCAL)[0].stack


def test_a_million_reads_are_one_call(look: Look) -> None:
    visit = look("for (let i = 0; i < 1e6; i++) navigator.userAgent;")
    assert [each.count for each in called(visit, "Navigator.userAgent")] == [1_000_000]


def test_ten_thousand_keys_are_all_seen(look: Look) -> None:
    visit = look('for (let i = 0; i < 1e4; i++) localStorage.setItem("key" + i, "x");')
    assert len({each.name for each in wrote(visit, Kind.LOCAL)}) == 10_000


def test_what_is_evaluated_twice_is_told_once(look: Look) -> None:
    """The page evaluates the probe again itself, which the binding's random name keeps it from in earnest."""
    visit = look(f"localStorage.first = 1;\n{SOURCE}\nlocalStorage.second = 2; navigator.hardwareConcurrency;")
    assert [each.name for each in wrote(visit, Kind.LOCAL)] == ["first", "second"]
    assert [each.count for each in called(visit, "Navigator.hardwareConcurrency")] == [1]


NO_REPORTS = [
    "",
    "[]",
    "null",
    "{}",
    '{"at": 1, "stacks": [], "writes": [[1]], "calls": []}',
    '{"at": "", "stacks": [[]], "writes": [["tape", "a", "", 1, 0, 0]], "calls": []}',
]


@pytest.mark.parametrize("payload", NO_REPORTS)
def test_a_report_that_is_none_is_empty(payload: str) -> None:
    assert read(payload) == Batch()
