"""What mail programs ask to set themselves up: with the requests that they really make, over HTTP and HTTPS.

The answers are read by the rules of the programs: Thunderbird 153's reader of config-v1.1.xml wants a domain, an incoming
and an outgoing server with host, port, socket type, user name and authentication of the words it knows; Apple's profile is
a property list with the keys that its payload requires; MS-OXDSCLI section 2.2.4 has Outlook's answer.
"""
import http.client
import json
import os
import plistlib
import re
import socket
import ssl
import subprocess
import uuid
import xml.etree.ElementTree as xml

import pytest

import server as lib

HOST = "mail.example.org"
SCHEMA = "http://schemas.microsoft.com/exchange/autodiscover/"
OUTLOOK = ('<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="' + SCHEMA + 'outlook/requestschema/2006"><Request>'
           "<EMailAddress>%s</EMailAddress><AcceptableResponseSchema>" + SCHEMA + "%s</AcceptableResponseSchema></Request>"
           "</Autodiscover>")
OUTLOOK_2006A = "outlook/responseschema/2006a"


class Web(lib.Server):
    """A server that programs may ask."""

    def __init__(self, *settings):
        self.http_port, self.https_port = lib.free_port(), lib.free_port()
        super().__init__(settings=[
            f"hostname {HOST}", f"autoconfig-listen http 127.0.0.1:{self.http_port}",
            f"autoconfig-listen https 127.0.0.1:{self.https_port}", "autoconfig-smtp smtp.example.org", *settings])

    def ask(self, method, path, body=None, tls=False, alpn=("http/1.1",), **headers):
        if tls:
            context = ssl.create_default_context(cafile=self.cert)
            context.set_alpn_protocols(list(alpn))
            connection = http.client.HTTPSConnection("localhost", self.https_port, timeout=lib.LIMIT_S, context=context)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=lib.LIMIT_S)
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer, text


@pytest.fixture(scope="module")
def server():
    with Web() as running:
        yield running


def thunderbird(text):
    """As modules/accountcreation/readFromXML reads it: what would throw there fails here."""
    root = xml.fromstring(text)
    assert root.tag == "clientConfig" and root.get("version") == "1.1"
    provider = root.find("emailProvider")
    assert re.fullmatch(r"[A-Za-z0-9.-]+", provider.get("id")) and provider.findall("domain") != []
    servers = []
    for tag, kind in (("incomingServer", "imap"), ("outgoingServer", "smtp")):
        assert provider.findall(tag) != []
        for one in provider.findall(tag):
            assert one.get("type") == kind and one.find("socketType").text in ("plain", "SSL", "STARTTLS")
            assert one.find("authentication").text in ("password-cleartext", "password-encrypted", "GSSAPI", "NTLM", "OAuth2")
            servers.append((one.find("hostname").text, int(one.find("port").text), one.find("socketType").text,
                            one.find("username").text))
    return provider, servers


def expected(server, user="%EMAILADDRESS%"):
    return [(HOST, server.imaps_port, "SSL", user), (HOST, server.imap_port, "STARTTLS", user),
            ("smtp.example.org", 465, "SSL", user)]


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("path", ["/mail/config-v1.1.xml", "/.well-known/autoconfig/mail/config-v1.1.xml"])
def test_thunderbird(server, tls, path):
    """GET with the address as a parameter, percent-encoded, at the host autoconfig.DOMAIN or DOMAIN; HTTP/2 is offered, too."""
    answer, text = server.ask("GET", f"{path}?emailaddress=me%40example.org", tls=tls, alpn=("h2", "http/1.1"),
                              Host="autoconfig.example.org", Accept="text/xml, application/xml")
    assert answer.status == 200 and answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    provider, servers = thunderbird(text)
    assert provider.find("domain").text == "example.org" and servers == expected(server)


def test_without_an_address_the_host_says_the_domain(server):
    """mailnews.auto_config.fetchFromISP.sendEmailAddress false, K-9, and draft-ietf-mailmaint-autoconfig."""
    for host in ("autoconfig.example.net", "AUTOCONFIG.example.net:80", "example.net"):
        provider, _ = thunderbird(server.ask("GET", "/mail/config-v1.1.xml", Host=host)[1])
        assert provider.find("domain").text == "example.net"
    assert server.ask("GET", "/mail/config-v1.1.xml", Host="localhost")[0].status == 404


def outlook(text):
    root = xml.fromstring(text)
    assert root.tag == "{%sresponseschema/2006}Autodiscover" % SCHEMA
    space = "{%s%s}" % (SCHEMA, OUTLOOK_2006A)
    account, = root.findall(f"{space}Response/{space}Account")
    assert [account.find(space + name).text for name in ("AccountType", "Action")] == ["email", "settings"]
    return [{child.tag.removeprefix(space): child.text for child in protocol} for protocol in account.findall(space + "Protocol")]


@pytest.mark.parametrize("path", ["/autodiscover/autodiscover.xml", "/Autodiscover/Autodiscover.xml",
                                  "/AutoDiscover/AutoDiscover.xml", "/autoDiscover/autodiscover.XML"])
def test_outlook(server, path):
    """A POST over HTTPS, whose letter case differs between versions."""
    answer, text = server.ask("POST", path, OUTLOOK % ("me@example.org", OUTLOOK_2006A), tls=True,
                              Content_Type="text/xml; charset=utf-8", User_Agent="Microsoft Office/16.0")
    assert answer.status == 200
    imap, smtp = outlook(text)
    assert (imap["Type"], imap["Server"], imap["Port"], imap["SSL"], imap["LoginName"]) == (
        "IMAP", HOST, str(server.imaps_port), "on", "me@example.org")
    assert (smtp["Type"], smtp["Server"], smtp["Port"], smtp["SSL"]) == ("SMTP", "smtp.example.org", "465", "on")
    assert set(imap) == {"Type", "Server", "Port", "DomainRequired", "LoginName", "SPA", "SSL", "AuthRequired"}


@pytest.mark.parametrize("body,code", [
    (OUTLOOK % ("me@example.org", "mobilesync/responseschema/2006"), "601"), (OUTLOOK % ("me", OUTLOOK_2006A), "600"),
    (OUTLOOK % ("&lt;x&gt;@example.org", OUTLOOK_2006A), "600"), ("", "600"), ("<", "600"), ("no XML", "600"),
    ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + OUTLOOK % ("&x;", OUTLOOK_2006A), "600"),
])
def test_what_outlook_is_refused(server, body, code):
    answer, text = server.ask("POST", "/autodiscover/autodiscover.xml", body)
    assert answer.status == 200 and xml.fromstring(text).find(".//{*}ErrorCode").text == code
    assert "root:" not in text and "<x>" not in text


@pytest.mark.parametrize("path", ["?Email=me%40example.org&Protocol=", "/v1.0/me@example.org?Protocol=",
                                  "/v1.0/me%40example.org?RedirectCount=1&protocol="])
def test_outlook_json(server, path):
    """As a parameter, or in the path, as Outlook asks since 2016."""
    for name in ("autodiscover", "Autodiscover"):
        answer, text = server.ask("GET", f"/{name}/{name}.json{path}AutodiscoverV1", tls=True)
        assert json.loads(text) == {"Protocol": "AutodiscoverV1", "Url": f"https://{HOST}/autodiscover/autodiscover.xml"}
    answer, text = server.ask("GET", f"/autodiscover/autodiscover.json{path}Ews")
    assert answer.status == 400 and json.loads(text)["ErrorCode"] == "InvalidProtocol"


def test_outlook_is_sent_to_https(server):
    """Who has found nothing by HTTPS asks the same file of port 80, and follows; there is no circle."""
    answer, text = server.ask("GET", "/autodiscover/autodiscover.xml", Host="autodiscover.example.org")
    assert (answer.status, answer.headers["Location"], text) == (302, f"https://{HOST}/autodiscover/autodiscover.xml", "")
    answer, text = server.ask("GET", "/autodiscover/autodiscover.xml", tls=True)
    assert answer.status == 200 and xml.fromstring(text).find(".//{*}ErrorCode").text == "600"


def apple(text, host=HOST):
    """The keys that com.apple.mail.managed requires, and those of every payload."""
    profile = plistlib.loads(text.encode())
    account, = profile["PayloadContent"]
    for payload, kind in ((profile, "Configuration"), (account, "com.apple.mail.managed")):
        assert (payload["PayloadType"], payload["PayloadVersion"]) == (kind, 1)
        assert str(uuid.UUID(payload["PayloadUUID"])).upper() == payload["PayloadUUID"] and payload["PayloadIdentifier"]
    assert account["EmailAccountType"] == "EmailTypeIMAP" and account["IncomingMailServerHostName"] == host
    for direction in ("Incoming", "Outgoing"):
        assert account[f"{direction}MailServerAuthentication"] == "EmailAuthPassword"
        assert account[f"{direction}MailServerUseSSL"] is True and account[f"{direction}MailServerPortNumber"] > 0
    return profile, account


def test_apple(server):
    answer, text = server.ask("GET", "/email.mobileconfig?email=me%40example.org", tls=True)
    assert answer.headers["Content-Type"].startswith("application/x-apple-aspen-config")
    profile, account = apple(text)
    assert account["EmailAddress"] == account["IncomingMailServerUsername"] == "me@example.org"
    again, _ = apple(server.ask("GET", "/email.mobileconfig?email=you%40example.org")[1])
    other, _ = apple(server.ask("GET", "/email.mobileconfig?email=you%40example.net")[1])
    assert again["PayloadUUID"] == profile["PayloadUUID"] != other["PayloadUUID"], "a profile replaces the one before"
    assert again["PayloadIdentifier"] == "org.example.imapd"


def test_nobody_learns_who_exists(server):
    """The user demo is there, and nobody else: but for the address that was asked about, no octet differs."""
    def shape(answer, text, user):
        return answer.status, text.replace(user, "?"), {name: value for name, value in answer.getheaders() if name not in (
            "Date", "Content-Length")}
    for ask in (lambda user: server.ask("GET", f"/mail/config-v1.1.xml?emailaddress={user}%40example.org"),
                lambda user: server.ask("GET", f"/email.mobileconfig?email={user}%40example.org"),
                lambda user: server.ask("POST", "/autodiscover/autodiscover.xml", OUTLOOK % (f"{user}@example.org", OUTLOOK_2006A))):
        assert shape(*ask("demo"), "demo") == shape(*ask("nobody"), "nobody")


@pytest.mark.parametrize("address", ["me%22%3E%3Cx%2F%3E@example.org", "me@exam%3Cple.org", "%3Cscript%3E", "me%0d%0a@example.org",
                                     "me@example.org%00", "%ff@example.org", "a" * 300 + "@example.org", "me%40%40example.org"])
def test_no_address_gets_into_the_answer_as_xml(server, address):
    for path in ("/mail/config-v1.1.xml?emailaddress=", "/email.mobileconfig?email="):
        answer, text = server.ask("GET", path + address, Host="autoconfig.example.net")
        assert answer.status == 200 and "<x" not in text and "<script" not in text
        assert "example.net" in text and "example.org" not in text.replace(HOST, "").replace("smtp.example.org", "")


def test_bounds(server):
    assert server.ask("POST", "/autodiscover/autodiscover.xml", "x" * 9000)[0].status == 413
    assert server.ask("GET", "/")[0].status == 404 and server.ask("GET", "/mail/config-v1.1.xml?" + "x" * 20000)[0].status == 431
    assert server.ask("DELETE", "/mail/config-v1.1.xml")[0].status in (405, 501)


def get_many(port, count):
    """So many requests on one connection, pipelined; what comes until its end."""
    with socket.create_connection(("127.0.0.1", port), lib.LIMIT_S) as plain:
        plain.sendall(b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n" * count)
        plain.shutdown(socket.SHUT_WR)
        text = b""
        try:
            while octets := plain.recv(65536):
                text += octets
        except ConnectionResetError:
            pass
        return text


def test_a_flood():
    """Who asks without end is told off, and then all wait; who logs in notices nothing."""
    with Web() as server:
        lib.wait_until(lambda: get_many(server.http_port, 500).count(b" 429 ") == 1)
        with server.client() as client:
            client.ok(b"NOOP")
        answer, _ = server.ask("GET", "/mail/config-v1.1.xml?emailaddress=me%40example.org", tls=True)
        assert answer.status == 200, "it has waited for its turn"
        lib.wait_until(lambda: any(" ev=limit " in line and "limit=autoconfig" in line for line in server.log_lines))
        assert re.search(r'^imapd_limit_hits_total\{limit="autoconfig"\} [1-9]', server.imapctl("metrics").stdout, re.M)


def test_each_port_speaks_its_own_protocol(server):
    """A client that wants IMAP gets no TLS at the port for HTTPS, nor the other way round (RFC 7301 section 3.2)."""
    for port, protocol in ((server.https_port, "imap"), (server.imaps_port, "http/1.1")):
        context = ssl.create_default_context(cafile=server.cert)
        context.set_alpn_protocols([protocol])
        with pytest.raises(ssl.SSLError), socket.create_connection(("127.0.0.1", port), lib.LIMIT_S) as plain:
            context.wrap_socket(plain, server_hostname="localhost")


def test_reload(tmp_path):
    with Web() as server:
        first = server.https_port
        server.https_port = lib.free_port()
        server.settings = [line.replace(f":{first}", f":{server.https_port}") for line in server.settings
                           if "autoconfig-listen http " not in line] + ["autoconfig-user local-part"]
        server.settings = [line.replace("smtp.example.org", "smtp.example.org:587") for line in server.settings]
        server.write_config()
        server.imapctl("reload")
        _, servers = thunderbird(server.ask("GET", "/mail/config-v1.1.xml?emailaddress=me%40example.org", tls=True)[1])
        assert servers[0][3] == "%EMAILLOCALPART%" and servers[-1][:3] == ("smtp.example.org", 587, "STARTTLS")
        for port in (first, server.http_port):
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port), lib.LIMIT_S)
        server.imapctl("stop", "cas")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.https_port), lib.LIMIT_S)
        server.imapctl("start", "cas")
        assert server.ask("GET", "/mail/config-v1.1.xml?emailaddress=me%40example.org", tls=True)[0].status == 200


def test_files(server, tmp_path):
    """clientconfig writes the same for a web server, and the lines of the zone."""
    folder = tmp_path / "web"
    done = server.imapctl("--json", "clientconfig", "example.org", f"--out={folder}")
    files = {name.removeprefix(f"{folder}/") for name in json.loads(done.stdout)["file"]}
    assert files == {"mail/config-v1.1.xml", ".well-known/autoconfig/mail/config-v1.1.xml", "autodiscover/autodiscover.xml",
                     "email.mobileconfig", "nginx.conf", "Caddyfile", "zone"} == {
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    text = (folder / "mail/config-v1.1.xml").read_text()
    assert text == server.ask("GET", "/mail/config-v1.1.xml?emailaddress=me%40example.org")[1]
    assert text == (folder / ".well-known/autoconfig/mail/config-v1.1.xml").read_text() and thunderbird(text)
    assert "LoginName" not in outlook((folder / "autodiscover/autodiscover.xml").read_text())[0]
    assert "EmailAddress" not in apple((folder / "email.mobileconfig").read_text())[1], "the device asks"
    zone = (folder / "zone").read_text()
    assert f"_imaps._tcp.example.org. IN SRV 0 1 {server.imaps_port} {HOST}.\n" in zone
    assert "_submissions._tcp.example.org. IN SRV 0 1 465 smtp.example.org.\n" in zone
    other = server.imapctl("clientconfig", "example.org", f"--out={folder}", "--smtp=out.example.org:587")
    assert "_submission._tcp.example.org. IN SRV 0 1 587 out.example.org.\n" in (folder / "zone").read_text(), other
    for words, said in ((("exam ple", f"--out={folder}"), "is not the name of a domain"), (("example.org",), "usage"),
                        (("example.org", f"--out={folder}", "--smtp=x:y"), "is not HOST or HOST:PORT")):
        done = server.imapctl("clientconfig", *words, check=False)
        assert done.returncode == 64 and said in done.stderr
    done = server.imapctl("clientconfig", "example.org", "--out=/proc/none", check=False)
    assert done.returncode == 73 and "/proc/none" in done.stderr


def check_site(port):
    """A web server with these files answers as ours does."""
    lib.wait_until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
    web = Web.__new__(Web)
    web.http_port = port
    answer, text = Web.ask(web, "GET", "/mail/config-v1.1.xml?emailaddress=me%40example.org", Host="autoconfig.example.org")
    assert answer.status == 200 and thunderbird(text) and answer.headers["Content-Type"].split(";")[0] == "text/xml"
    for path in ("/autodiscover/autodiscover.xml", "/Autodiscover/Autodiscover.xml"):
        answer, text = Web.ask(web, "POST", path, OUTLOOK % ("me@example.org", OUTLOOK_2006A), Host="autodiscover.example.org")
        assert answer.status == 200 and outlook(text) and answer.headers["Content-Type"] == "text/xml"
    answer, text = Web.ask(web, "GET", "/email.mobileconfig", Host="autoconfig.example.org")
    assert answer.headers["Content-Type"] == "application/x-apple-aspen-config" and apple(text)


def test_nginx_serves_the_files(server, tmp_path):
    """The configuration for nginx as it is written, but for the port."""
    nginx = lib.need("nginx")
    folder, port, config = tmp_path / "web", lib.free_port(), tmp_path / "nginx.conf"
    server.imapctl("clientconfig", "example.org", f"--out={folder}")
    site = (folder / "nginx.conf").read_text().replace("listen 80;", f"listen 127.0.0.1:{port};").replace("    listen [::]:80;\n", "")
    user = "" if os.geteuid() else "user root; "
    config.write_text(f"{user}daemon off; pid {tmp_path}/pid; events {{}}\nhttp {{ access_log off;\n{site}}}\n")
    process = subprocess.Popen([nginx, "-e", "stderr", "-c", config], stderr=subprocess.DEVNULL)
    try:
        check_site(port)
    finally:
        process.terminate()
        process.wait(lib.LIMIT_S)


def test_caddy_serves_the_files(server, tmp_path):
    """The same for Caddy; without the names for which it would ask an authority."""
    caddy = lib.need("caddy")
    folder, port, config = tmp_path / "web", lib.free_port(), tmp_path / "Caddyfile"
    server.imapctl("clientconfig", "example.org", f"--out={folder}")
    site = (folder / "Caddyfile").read_text()
    assert subprocess.run([caddy, "adapt", "--adapter", "caddyfile", "--config", folder / "Caddyfile"], capture_output=True).returncode == 0
    config.write_text(f"{{\nadmin off\nhttp_port {port}\n}}\n" + site.replace(
        "http://autoconfig.example.org, autoconfig.example.org, autodiscover.example.org",
        "http://autoconfig.example.org, http://autodiscover.example.org"))
    process = subprocess.Popen([caddy, "run", "--adapter", "caddyfile", "--config", config], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env={**os.environ, "HOME": str(tmp_path)})
    try:
        check_site(port)
    finally:
        process.terminate()
        process.wait(lib.LIMIT_S)
