"""HEAD for every address that takes GET: the same answer without its body (RFC 9110 section 9.3.2)."""

from mixip.edge.asgi import App, Message, Receive, Scope, Send


def answer_head(app: App) -> App:
    """Wrap an app so that HEAD is handled as GET and the body is dropped on the way out."""

    async def headed(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await app(scope, receive, send)
            return
        done = False

        async def send_head(message: Message) -> None:
            nonlocal done
            if message["type"] == "http.response.start":
                await send(message)
            elif not done:
                done = True
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        await app({**scope, "method": "GET", "mixip_head": True}, receive, send_head)

    return headed
