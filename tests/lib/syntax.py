"""Walks a formal syntax in ABNF (RFC 5234): makes sentences of it, and says whether octets are one.

What tests/lib/commands.abnf has beside RFC 5234: sections `[CAPABILITY]`, left out where it is not offered, and
a section `[wide]`: rules in the place of narrower ones, to judge by and not to write by.  There `*3` is `*`, and a
literal has as many octets as it says.
"""
import random
import re

TOKEN = re.compile(r"""\s*(?:
    (?P<repeat>\d*\*\d*) |(?P<open>[(\[]) |(?P<close>[)\]]) |(?P<slash>/)
    |"(?P<text>[^"]*)" |%x(?P<first>[0-9A-F]{2})(?:-(?P<last>[0-9A-F]{2}))? |(?P<name>[A-Za-z][\w-]*))""", re.X)
LITERAL = re.compile(rb"~?\{(\d+)\+?\}\r\n")
DEEP = 6		# from here on the shortest alternative is taken


class Grammar:
    def __init__(self, path, capabilities, is_wide=False):
        self.rules, self.is_wide = {}, is_wide
        wanted = capabilities | ({b"wide"} if is_wide else set())
        is_wanted, rule = True, ""
        for line in [*path.read_text().splitlines(), ""]:
            section = re.match(r"\[([\w=-]+)\]$", line)
            if line.startswith(" ") and line.strip():
                rule += line
                continue
            if rule and is_wanted:
                self._add(rule)
            rule = "" if section or line.startswith(";") else line
            if section:
                is_wanted = section[1].encode() in wanted
        self.least = self._least()

    def _add(self, line):
        name, more, text = re.match(r"([\w-]+)\s*=(/?)\s*(.*)", line).groups()
        tokens = [found for found in TOKEN.finditer(text)]
        assert sum(len(found[0]) for found in tokens) == len(text.rstrip()), f"cannot read {text!r}"
        choices = self._choices(tokens)
        assert not tokens, text
        if more:
            self.rules.setdefault(name, ("or", []))[1].extend(choices[1])
        else:
            self.rules[name] = choices

    def _choices(self, tokens):
        choices = [[]]
        while tokens and not tokens[0]["close"]:
            token = tokens.pop(0)
            if token["slash"]:
                choices.append([])
                continue
            least, most = 1, 1
            if token["repeat"]:
                low, high = token["repeat"].split("*")
                least, most = int(low or 0), int(high) if high else None
                if self.is_wide and least == 0 and most != 1:
                    most = None
                token = tokens.pop(0)
            if token["open"]:
                item = self._choices(tokens)
                tokens.pop(0)
                if token["open"] == "[":
                    least = 0
            elif token["name"]:
                item = ("rule", token["name"])
            elif token["first"]:
                item = ("range", int(token["first"], 16), int(token["last"] or token["first"], 16))
            else:
                item = ("octets", token["text"].encode())
            choices[-1].append(item if (least, most) == (1, 1) else ("repeat", item, least, most))
        return ("or", [("and", items) for items in choices])

    def _least(self):
        """The depth that each rule needs at least; one that wants what is not offered has none."""
        least, before = {}, -1
        while len(least) > before:
            before = len(least)
            for name, node in self.rules.items():
                depth = self._depth(node, least)
                if depth is not None:
                    least.setdefault(name, depth + 1)
        return least

    def _depth(self, node, least):
        kind = node[0]
        if kind in ("octets", "range") or kind == "repeat" and node[2] == 0:
            return 0
        if kind == "rule":
            return least.get(node[1])
        if kind == "repeat":
            return self._depth(node[1], least)
        depths = [self._depth(child, least) for child in node[1]]
        if kind == "and":
            return None if None in depths else max(depths, default=0)
        return min((depth for depth in depths if depth is not None), default=None)

    def sentence(self, name, chance=random):
        """Octets of the rule, by chance."""
        out = []
        self._walk(("rule", name), chance, 0, out)
        return b"".join(out)

    def _walk(self, node, chance, depth, out):
        kind = node[0]
        if kind == "octets":
            out.append(node[1])
        elif kind == "range":
            out.append(bytes([chance.randint(node[1], node[2])]))
        elif kind == "rule":
            self._walk(self.rules[node[1]], chance, depth + 1, out)
        elif kind == "and":
            for child in node[1]:
                self._walk(child, chance, depth, out)
        elif kind == "or":
            possible = [child for child in node[1] if self._depth(child, self.least) is not None]
            if depth >= DEEP:
                choice = min(possible, key=lambda child: self._depth(child, self.least))
            else:
                choice = chance.choice(possible)
            self._walk(choice, chance, depth, out)
        else:
            most = node[2] if depth >= DEEP else node[2] + 3 if node[3] is None else node[3]
            if self._depth(node[1], self.least) is None:
                most = 0
            for _ in range(chance.randint(node[2], most)):
                self._walk(node[1], chance, depth, out)

    def is_sentence(self, name, octets):
        """Case does not matter where letters stand in quotes (RFC 5234 section 2.3)."""
        memory = {}
        return len(octets) in self._ends(("rule", name), octets, 0, memory)

    def _ends(self, node, octets, at, memory):
        key = (id(node) if node[0] != "rule" else node[1], at)
        if key not in memory:
            memory[key] = frozenset()
            memory[key] = frozenset(self._find_ends(node, octets, at, memory))
        return memory[key]

    def _find_ends(self, node, octets, at, memory):
        kind = node[0]
        if kind == "octets":
            end = at + len(node[1])
            return {end} if octets[at:end].lower() == node[1].lower() else set()
        if kind == "range":
            return {at + 1} if at < len(octets) and node[1] <= octets[at] <= node[2] else set()
        if kind == "rule" and node[1] == "literal" and self.is_wide:
            found = LITERAL.match(octets, at)
            return {found.end() + int(found[1])} if found else set()
        if kind == "rule":
            return self._ends(self.rules[node[1]], octets, at, memory) if node[1] in self.rules else set()
        if kind == "or":
            return set().union(*(self._ends(child, octets, at, memory) for child in node[1]))
        if kind == "and":
            ends = {at}
            for child in node[1]:
                ends = set().union(*(self._ends(child, octets, end, memory) for end in ends))
            return ends
        ends, last, count = set(), {at}, 0
        while last and (node[3] is None or count <= node[3]):
            if count >= node[2]:
                ends |= last
            last = set().union(*(self._ends(node[1], octets, end, memory) for end in last)) - ends
            count += 1
        return ends
