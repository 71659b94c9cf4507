"""Texts that act where they are printed unescaped, and the checks that none did."""

from __future__ import annotations

import html.parser
import unicodedata

TEXTS = {
    "clears the screen": "a\x1b[2J\x1b[1;1Hb",
    "sets the title": "a\x1b]0;owned\x07b",
    "links": "a\x1b]8;;http://evil.example\x1b\\b\x1b]8;;\x1b\\",
    "eight-bit escapes": "a\x9b31mb\x9d0;x\x9c",
    "goes back": "safe\rgone\b\b\x7f\x0b\x0c",
    "rich markup": "[red]a[/red][link=http://evil.example]b[/link][/]",
    "rich emoji": ":warning: [bold",
    "formula": "$\\frac{a}$ $x^{",
    "dollars": "US$ 5 and $_$",
    "turns the order": "a\u202eb\u2066c\u200f\u061c",
    "invisible": "a\u200b\ufeff\u00ad\u2028b\u2029",
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "attribute": "x' onmouseover='alert(1)\" onload=\"alert(2)",
    "end of the style": "</style></title><!-- --><base href=http://evil.example>",
    "entities": "&lt;script&gt;&#x3c;b&#x3e;",
    "percent and braces": "%s %n {0} {name} {",
    "surrogates": "a\udcffb\ud83d",
    "a very long name": "n" * 3000,
    "format of a command": "--help; $(reboot) `reboot` | sh",
}
TAGS = {
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "h1",
    "h2",
    "p",
    "div",
    "table",
    "tr",
    "th",
    "td",
    "img",
}
ATTRIBUTES = {("html", "lang"), ("meta", "charset"), ("p", "class"), ("div", "class"), ("td", "class"),
              ("th", "class"), ("img", "alt"), ("img", "src")}  # fmt: skip


def acting(output: str) -> set[str]:
    """Return the characters of an output that a terminal acts on."""
    return {
        c for c in output if c not in "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
    }


class Page(html.parser.HTMLParser):
    """Collects what of a page is not among the tags and attributes that a report has."""

    def __init__(self) -> None:
        super().__init__()
        self.strange: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.strange.append(tag)
        self.strange += [f"{tag} {name}" for name, _ in attrs if (tag, name) not in ATTRIBUTES]
        values = dict(attrs)
        if tag == "img" and not str(values["src"]).startswith("data:image/png;base64,"):
            self.strange.append(f"img {values['src']}")

    def handle_comment(self, data: str) -> None:
        self.strange.append(f"comment {data}")

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def strange_in(page: str) -> list[str]:
    """Return the tags, attributes and comments of a report that it does not have by itself."""
    parser = Page()
    parser.feed(page)
    return parser.strange
