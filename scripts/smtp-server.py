#!/usr/bin/python3
"""A mail server for tests, on 127.0.0.1: STARTTLS on one port, TLS from the start on another, sign-in on both.

    smtp-server.py FOLDER

FOLDER has cert.pem and key.pem. What arrives is written to FOLDER/mail, a file each; FOLDER/url names the server once it
answers. Recipients `refused@…` and `later@…` are refused for good and for now, and `broken@…` has the connection cut
while the message is on its way.
"""

import asyncio
import json
import pathlib
import signal
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

USER, PASSWORD = b"ada", b"s3cret-of-ada"


class Keep:
    """Writes mail to a folder."""

    def __init__(self, folder):
        self.folder = folder
        self.count = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused@"):
            return "550 5.1.1 no such user"
        if address.startswith("later@"):
            return "451 4.2.0 not now"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if any(address.startswith("broken@") for address in envelope.rcpt_tos):
            server.transport.abort()
            return "421 cut"
        self.count += 1
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "encrypted": session.ssl is not None or server.transport.get_extra_info("ssl_object") is not None,
            "content": envelope.content.decode("utf-8", "replace"),
        }
        path = self.folder / f"{self.count}.json"
        path.with_suffix(".new").write_text(json.dumps(mail))
        path.with_suffix(".new").rename(path)
        return "250 2.0.0 taken"


def sign_in(server, session, envelope, mechanism, given):
    ok = mechanism in ("LOGIN", "PLAIN") and given.login == USER and given.password == PASSWORD
    return AuthResult(success=ok, handled=False)


async def main(folder):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    (folder / "mail").mkdir()
    keep = Keep(folder / "mail")
    loop = asyncio.get_running_loop()
    common = {"auth_required": True, "authenticator": sign_in, "hostname": "localhost", "enable_SMTPUTF8": True}
    later = lambda: SMTP(keep, tls_context=context, require_starttls=True, loop=loop, **common)
    first = lambda: SMTP(keep, auth_require_tls=False, loop=loop, **common)
    starttls = await loop.create_server(later, "127.0.0.1", 0)
    tls = await loop.create_server(first, "127.0.0.1", 0, ssl=context)
    ports = [server.sockets[0].getsockname()[1] for server in (starttls, tls)]
    url = f"smtp://{USER.decode()}:{PASSWORD.decode()}@127.0.0.1:{ports[0]}{folder}?tls={ports[1]}"
    (folder / "url.new").write_text(url)
    (folder / "url.new").rename(folder / "url")
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()


asyncio.run(main(pathlib.Path(sys.argv[1]).resolve()))
