"""Real browsers without a screen: Chromium by its driver, Firefox by the protocol that it speaks itself (Marionette).

Both do the same: open a page, run a script in it, press keys, take a picture, and tell what the page has complained of
and whom it has asked.
"""
import base64
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

CHROMIUM, DRIVER, FIREFOX = "/usr/bin/chromium", "/usr/bin/chromedriver", "/usr/bin/firefox-esr"
LIMIT_S = 90

# WebDriver's names for keys that are no characters.
KEYS = {"Tab": "\ue004", "Enter": "\ue007", "Escape": "\ue00c", "Space": " ", "Shift": "\ue008", "Home": "\ue011"}


def missing(name):
    """Why this browser cannot be used here, or None."""
    if name == "chromium":
        if not pathlib.Path(CHROMIUM).exists() or not pathlib.Path(DRIVER).exists():
            return "chromium and chromium-driver are not installed"
        try:
            import selenium  # noqa: F401
        except ImportError:
            return "python3-selenium is not installed"
        return None
    return None if pathlib.Path(FIREFOX).exists() else "firefox-esr is not installed"


class Browser:
    """What is the same for all."""

    def wait(self, script, *arguments, what=None):
        """Until the script gives what is true, which is returned."""
        end = time.monotonic() + LIMIT_S
        while True:
            result = self.run(script, *arguments)
            if result:
                return result
            if time.monotonic() > end:
                raise AssertionError(f"never became true: {what or script}\n{self.text()[-1500:]}\n{self.complaints()}")
            time.sleep(0.05)

    def text(self):
        return self.run("return document.body ? document.body.innerText : ''")

    def press(self, *names):
        """Keys one after the other; "Shift+Tab" together."""
        for name in names:
            keys = [KEYS.get(part, part) for part in name.split("+")]
            self.act([{"type": "keyDown", "value": key} for key in keys] +
                     [{"type": "keyUp", "value": key} for key in reversed(keys)])

    def type(self, text):
        self.press(*text)

    def shot(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(self.picture()))


class Chromium(Browser):
    name = "chromium"

    def __init__(self):
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                     "--disable-background-networking", "--disable-component-update", "--disable-sync",
                     "--force-device-scale-factor=1", "--hide-scrollbars"):
            options.add_argument(word)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(service=Service(DRIVER), options=options)
        self.driver.set_script_timeout(LIMIT_S)
        self.driver.set_page_load_timeout(LIMIT_S)
        self.complained, self.asked = [], []

    def close(self):
        self.driver.quit()

    def open(self, url):
        self.driver.get(url)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def act(self, actions):
        self.driver.execute("actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def size(self, width, height, zoom=1):
        """A window of so many pixels; zoomed in, it has fewer CSS pixels."""
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width // zoom, "height": height // zoom, "deviceScaleFactor": zoom, "mobile": False})

    def scheme(self, name, reduced=False):
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": name},
            {"name": "prefers-reduced-motion", "value": "reduce" if reduced else "no-preference"}]})

    def scripts(self, are_on):
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not are_on})

    def picture(self):
        return self.driver.get_screenshot_as_base64()

    def read_logs(self):
        self.complained += [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self.asked.append(message["params"]["request"]["url"])

    def complaints(self):
        self.read_logs()
        return self.complained

    def requests(self):
        self.read_logs()
        return self.asked

    def forget(self):
        """What the page has complained of, and whom it has asked so far."""
        self.read_logs()
        self.complained, self.asked = [], []


class Firefox(Browser):
    name = "firefox"

    PREFERENCES = {
        "marionette.port": 0, "app.update.enabled": False, "browser.shell.checkDefaultBrowser": False,
        "datareporting.policy.dataSubmissionEnabled": False, "toolkit.telemetry.enabled": False,
        "browser.startup.page": 0, "browser.startup.homepage": "about:blank", "browser.aboutConfig.showWarning": False,
        "network.captive-portal-service.enabled": False, "network.connectivity-service.enabled": False,
        "extensions.update.enabled": False, "browser.safebrowsing.malware.enabled": False,
        "browser.safebrowsing.phishing.enabled": False, "network.prefetch-next": False, "network.dns.disablePrefetch": True,
        "browser.pagethumbnails.capturing_disabled": True, "dom.disable_open_during_load": False,
        "services.settings.server": "", "layout.css.devPixelsPerPx": "1.0", "widget.gtk.overlay-scrollbars.enabled": True,
    }

    def __init__(self):
        self.profile = pathlib.Path(tempfile.mkdtemp(prefix="imapd-firefox-"))
        (self.profile / "user.js").write_text("".join(
            f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in self.PREFERENCES.items()))
        self.process = subprocess.Popen(
            [FIREFOX, "--headless", "--marionette", "--no-remote", "--remote-allow-system-access", "--profile", self.profile, "--width=1280", "--height=900"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": str(self.profile), "MOZ_HEADLESS": "1", "MOZ_REMOTE_SETTINGS_DEVTOOLS": "1"},
            start_new_session=True)
        self.number, self.octets = 0, b""
        self.socket = self.connect()
        self.socket.settimeout(LIMIT_S)
        self.receive()		# who it is
        self.send("WebDriver:NewSession", capabilities={"alwaysMatch": {"acceptInsecureCerts": True}})
        self.send("WebDriver:SetTimeouts", script=LIMIT_S * 1000, pageLoad=LIMIT_S * 1000)
        self.in_chrome("""
            window.imapdAsked = [];
            Services.obs.addObserver((subject) => {
                const channel = subject.QueryInterface(Ci.nsIHttpChannel);
                if (channel.loadInfo.loadingPrincipal?.isContentPrincipal || channel.isMainDocumentChannel)
                    window.imapdAsked.push(channel.URI.spec);
            }, "http-on-modify-request");
            Services.console.reset();""")

    def connect(self):
        end = time.monotonic() + LIMIT_S
        while time.monotonic() < end:
            try:
                port = int((self.profile / "MarionetteActivePort").read_text())
                return socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S)
            except (OSError, ValueError):
                if self.process.poll() is not None:
                    raise RuntimeError("firefox has ended") from None
                time.sleep(0.1)
        raise RuntimeError("firefox does not listen")

    def close(self):
        try:
            self.send("Marionette:Quit", flags=["eForceQuit"])
            self.process.wait(30)
        except (OSError, RuntimeError, subprocess.TimeoutExpired):
            self.process.kill()
        self.process.wait()
        self.socket.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    def receive(self):
        """LENGTH:JSON"""
        while b":" not in self.octets:
            self.more()
        length, _, self.octets = self.octets.partition(b":")
        while len(self.octets) < int(length):
            self.more()
        message, self.octets = self.octets[:int(length)], self.octets[int(length):]
        return json.loads(message)

    def more(self):
        got = self.socket.recv(65536)
        if not got:
            raise RuntimeError("firefox has ended the connection")
        self.octets += got

    def send(self, command, **parameters):
        self.number += 1
        message = json.dumps([0, self.number, command, parameters]).encode()
        self.socket.sendall(b"%d:%s" % (len(message), message))
        _, _, error, result = self.receive()
        if error:
            raise RuntimeError(f"{command}: {error['error']}: {error['message']}\n{error.get('stacktrace', '')[:500]}")
        return result

    def in_chrome(self, script, *arguments):
        """In the browser itself."""
        self.send("Marionette:SetContext", value="chrome")
        try:
            return self.send("WebDriver:ExecuteScript", script=script, args=list(arguments), sandbox=None)["value"]
        finally:
            self.send("Marionette:SetContext", value="content")

    def open(self, url):
        self.send("WebDriver:Navigate", url=url)

    def run(self, script, *arguments):
        return self.send("WebDriver:ExecuteScript", script=script, args=list(arguments), sandbox=None)["value"]

    def act(self, actions):
        self.send("WebDriver:PerformActions", actions=[{"type": "key", "id": "keyboard", "actions": actions}])

    def size(self, width, height, zoom=1):
        self.in_chrome("""
            Services.prefs.setStringPref("layout.css.devPixelsPerPx", arguments[2]);
            const style = gBrowser.selectedBrowser.style;
            for (const [name, value] of [["width", arguments[0]], ["height", arguments[1]]]) {
                style.setProperty(`min-${name}`, `${value}px`);
                style.setProperty(`max-${name}`, `${value}px`);
            }""", width // zoom, height // zoom, str(float(zoom)))
        self.wait("return innerWidth === arguments[0]", width // zoom, what="the window's width")

    def scheme(self, name, reduced=False):
        self.in_chrome("""Services.prefs.setIntPref("layout.css.prefers-color-scheme.content-override", arguments[0]);
                          Services.prefs.setIntPref("ui.prefersReducedMotion", arguments[1]);""",
                       0 if name == "dark" else 1, int(reduced))

    def scripts(self, are_on):
        self.in_chrome("Services.prefs.setBoolPref('javascript.enabled', arguments[0])", are_on)

    def picture(self):
        return self.send("WebDriver:TakeScreenshot", full=False)["value"]

    def complaints(self):
        """Of the page: errors of scripts, and what its policy has forbidden."""
        return self.in_chrome("""
            return Services.console.getMessageArray().filter((one) => one instanceof Ci.nsIScriptError &&
                /^http:/.test(one.sourceName) && !one.isFromChromeContext).map((one) => one.message);""")

    def requests(self):
        return self.in_chrome("return window.imapdAsked")

    def forget(self):
        self.in_chrome("Services.console.reset(); window.imapdAsked.length = 0;")


BROWSERS = {"chromium": Chromium, "firefox": Firefox}
