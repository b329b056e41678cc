"""The manual as it is typed: the command blocks and configurations of man/ and README.md, and what they print."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROMPT = re.compile(r"(?:([a-z][a-z0-9]*)# |# |\$ )(?=\S)")
TYPED = re.compile(r"Enter host password for user|Password for |Again:$")


def sections_of(page):
    """The tutorial is done section by section, each in a world of its own; other pages in one."""
    if page.name != "imapd-tutorial.7":
        return [None]
    return re.findall(r"^\.Sh (.*[A-Z] HOST.*|.* TWO|MOVING .*)$", page.read_text(), re.M)


def blocks_of(page, section=None):
    """The literal blocks of a page, or of one section of it, each a list of lines."""
    text = page.read_text()
    if section is not None:
        text = text.split(f".Sh {section}\n")[1].split("\n.Sh ")[0]
    lines = text.splitlines()
    if page.suffix == ".md":
        text = "\n".join(line[4:] if line.startswith("    ") else "\0" for line in lines)
        return [part.strip("\n").splitlines() for part in re.split(r"\0+\n?(?:\n|\0)*", text) if part.strip("\n\0")]
    blocks, block = [], None
    for line in lines:
        if block is None and re.match(r"\.Dl [#$] ", line):
            blocks.append([line[4:].replace("\\(dq", '"')])
        elif line.startswith(".Bd -literal"):
            block = []
        elif line == ".Ed" and block is not None:
            blocks.append(block)
            block = None
        elif block is not None:
            block.append(line.replace("\\e", "\\").replace("\\&", "").replace("\\-", "-"))
    return blocks


def inline_commands(page):
    """What a page says of imapctl and imapd within its sentences, without the mark behind it."""
    if page.suffix == ".md":
        found = re.findall(r"`((?:imapctl|imapd) [\w-][^`]*)`", page.read_text())
    else:
        found = re.findall(r"^\.(?:Ql|Ic|Li) ((?:imapctl|imapd) [\w-].*)$", page.read_text(), re.M)
    return sorted({re.sub(r"( [.,:;)])+$", "", command.replace("\\-", "-").replace("\\&", "")) for command in found})


OPTIONS = set(re.findall(r"^\.It Ic (\S+)", (ROOT / "man/imapd.conf.5").read_text(), re.M))


def is_config(block):
    words = [line.split()[0] for line in block if line.strip() and not line.startswith("#")]
    return words != [] and all(word in OPTIONS for word in words)


def steps_of(block):
    """A session: (host, command, lines it prints) for each prompt; without prompts each line is a command."""
    steps, is_open = [], False
    has_prompts = any(PROMPT.match(line) for line in block)
    for line in block:
        prompt = PROMPT.match(line)
        if is_open:
            steps[-1][1] += "\n" + line
        elif prompt:
            steps.append([prompt[1] or "mail", line[prompt.end():], []])
        elif has_prompts:
            steps[-1][2].append(line)
        elif line.strip():
            steps.append(["mail", line, []])
        is_open = steps != [] and steps[-1][1].endswith("\\")
    return steps


def loosely(line):
    """The pattern of a line that was printed; OpenSSL 3.5 writes CN=x for CN = x."""
    line = line.replace(" = ", "=")
    tokens = re.split(r"(\.\.\.|\broot\b|\b[0-9a-f]{12,}\b|\b\d+(?:\.\d)?[KMGsmhd]\b|\d+|\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b|\s+)", line)

    def pattern(token):
        if token == "...":
            return ".*"
        if token.isspace():
            return r"\s+"
        if token == "root":
            return r"\w+"
        if re.fullmatch(r"\d+", token):
            return r"\d+"
        if re.fullmatch(r"\d+(\.\d)?[KMGsmhd]", token):     # 1.2K octets, 40s ago
            return r"\d+(?:\.\d)?[KMGsmhd]?"
        if re.fullmatch(r"[0-9a-f]{12,}", token):
            return "[0-9a-f]+"
        if re.fullmatch(r"[A-Z][a-z]{2}", token):
            return "[A-Z][a-z]{2}"
        return re.escape(token)
    return re.compile("".join(map(pattern, tokens)) + r"\s*$")


def missing(expected, printed):
    """The first line that the manual shows and the program did not print, in this order."""
    rest = printed.splitlines()
    for line in expected:
        if line.strip() in ("", "...") or TYPED.match(line):
            continue
        pattern = loosely(line)
        found = next((index for index, actual in enumerate(rest) if pattern.match(actual.replace(" = ", "="))), None)
        if found is None:
            return line
        rest = rest[found + 1:]
    return None
